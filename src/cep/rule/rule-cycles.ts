import type { Issue } from '../../error/millrace-error.js'
import type { Rule } from './rule.js'

/**
 * Rules that read what follows from their own events, through each other: one event would cause others for ever. Each
 * cycle is told once, at the `emit` of each of its rules.
 */
export function ruleCycles(rules: readonly Rule[]): Issue[] {
  const readers = new Map<string, Rule[]>()
  for (const rule of rules)
    for (const type of rule.eventTypes) {
      const name = `${rule.on} ${type}`
      readers.set(name, [...(readers.get(name) ?? []), rule])
    }
  const after = (rule: Rule) => rule.outputTypes.flatMap((type) => readers.get(`${rule.to} ${type}`) ?? [])
  const issues: Issue[] = []
  const told = new Set<Rule>()
  for (const rule of rules) {
    if (told.has(rule)) continue
    const cycle = wayBack(rule, after)
    if (cycle === undefined) continue
    const names = [...cycle, rule].map(({ name }) => name).join(' → ')
    for (const each of cycle) {
      told.add(each)
      const { file, fields } = each.places
      const place = fields['emit']
      issues.push({ code: 'RULE_CYCLIC', file, ...place, detail: `the rules cause each other for ever: ${names}` })
    }
  }
  return issues
}

/** The shortest way from a rule back to it, itself first. */
function wayBack(rule: Rule, after: (rule: Rule) => readonly Rule[]): readonly Rule[] | undefined {
  const ways: Rule[][] = [[rule]]
  const seen = new Set<Rule>()
  for (let way = ways.shift(); way !== undefined; way = ways.shift())
    for (const next of after(way.at(-1) as Rule)) {
      if (next === rule) return way
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  return undefined
}
