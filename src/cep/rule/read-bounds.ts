import { isMap } from 'yaml'
import type { BoundPolicy } from '../pattern/pattern.js'
import { readChoice, readCount } from './read-fields.js'
import type { Entry, RuleFile } from './rule-file.js'

const POLICIES = ['drop-oldest', 'drop-newest', 'fail'] as const

/** Limits of a rule by their names, and what happens at each; empty when the rule names none. */
export interface ReadBounds {
  readonly bounds: Readonly<Record<string, number>>
  readonly policies: Readonly<Record<string, BoundPolicy>>
}

/** Reads `bounds: { keys: 10000, partialMatchesPerKey: { most: 100, then: drop-newest } }`. */
export function readBounds(file: RuleFile, entry: Entry | undefined, known: readonly string[]): ReadBounds {
  const bounds: Record<string, number> = {}
  const policies: Record<string, BoundPolicy> = {}
  if (entry === undefined) return { bounds, policies }
  for (const [name, bound] of file.entries(entry.value, 'bounds', known, entry.keyAt)) {
    const parts = isMap(bound.value) ? file.entries(bound.value, name, ['most', 'then'], bound.keyAt) : undefined
    if (parts !== undefined && !parts.has('most')) file.issue(bound.keyAt, `${name}: most is missing`)
    const most = readCount(file, parts === undefined ? bound : parts.get('most'))
    if (most !== undefined) bounds[name] = most
    const then = readChoice(file, parts?.get('then'), POLICIES)
    if (then === undefined) continue
    if (name === 'waiting') file.issue(parts?.get('then')?.keyAt ?? bound.keyAt, 'what waits is let through: no policy')
    else policies[name] = then
  }
  return { bounds, policies }
}
