import type { Output } from '../output.js'
import { count, printTable, type Column } from '../table.js'
import type { RuleStatus } from './rules-status.js'

/** A table of the rules, and a line for each that has something to say. */
export function printRules(out: Output, rules: readonly RuleStatus[]): void {
  if (rules.length === 0) return
  out.line()
  printTable(out, COLUMNS, rules)
  for (const rule of rules)
    for (const line of linesOf(rule)) out.line(out.style('yellow', `rule ${rule.rule}: ${line}`))
}

/** The same for machines. */
export function rulesJson(rules: readonly RuleStatus[]): object[] {
  return rules.map((rule) =>
    rule.kind === 'never-run'
      ? { rule: rule.rule, processor: rule.processor, started: false }
      : { ...rule, kind: undefined, started: true },
  )
}

function linesOf(rule: RuleStatus): string[] {
  if (rule.kind === 'never-run') return []
  const { problem, passedOver, evaluationErrors, errorSamples, failed, draining } = rule
  const lines: string[] = []
  if (problem !== null) lines.push(problem)
  const counts = Object.entries(passedOver).map(([name, times]) => `${count(times)} ${words(name)}`)
  if (failed > 0) counts.push(`${count(failed)} not emitted`)
  if (counts.length > 0) lines.push(counts.join(', '))
  if (evaluationErrors > 0)
    lines.push(`${count(evaluationErrors)} conditions without a value, first: ${errorSamples[0] ?? ''}`)
  if (draining.length > 0) lines.push(`revision ${draining.join(', ')} goes on with what it has begun`)
  return lines
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

type Run = Extract<RuleStatus, { kind: 'run' }>

function run(title: string, value: (rule: Run) => string, none = ''): Column<RuleStatus> {
  return { title, align: 'right', value: (rule) => (rule.kind === 'run' ? value(rule) : none) }
}

const COLUMNS: readonly Column<RuleStatus>[] = [
  { title: 'RULE', value: ({ rule }) => rule },
  { title: 'IN', value: ({ processor }) => processor },
  { title: 'STATE', value: (rule) => (rule.kind === 'run' ? rule.state : 'never run') },
  run('REVISION', ({ revision }) => (revision === null ? 'code' : String(revision))),
  run('SINCE SEQ', ({ since }) => String(since)),
  run('EVENTS', ({ events }) => count(events)),
  run('EMITTED', ({ emitted }) => count(emitted)),
  run('KEYS', ({ keys }) => count(keys)),
  run('BEGUN', ({ partialMatches }) => count(partialMatches)),
]
