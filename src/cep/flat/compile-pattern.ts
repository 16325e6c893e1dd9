import type { CompiledPattern } from './compiled-pattern.js'
import { fault } from '../../error/millrace-error.js'
import { patternFaults } from '../pattern/check-pattern.js'
import type { Bounds, Matcher, Pattern } from '../pattern/pattern.js'
import { FlatExecutor } from './flat-executor.js'
import type { FlatState } from './snapshot.js'
import { StateTable } from './state-table.js'
import type { Condition, Step, Tail } from './state.js'

/** Bounds of a pattern that does not name its own. */
export const DEFAULT_BOUNDS: Bounds = {
  partialMatchesPerKey: 1_000,
  partialMatches: 1_000_000,
  keys: 1_000_000,
  matchesPerAdvance: 10_000,
  waiting: 100_000,
}

/**
 * Checks a pattern and compiles it to a table of states, which is filled as events reach them.
 * @throws PATTERN_INVALID with every fault found, state that nothing bounds among them
 */
export function compilePattern(pattern: Pattern): CompiledPattern {
  const faults = patternFaults(pattern)
  if (faults.length > 0)
    throw fault('PATTERN_INVALID', faults.join('; '), { issues: faults.map((detail) => ({ detail })) })
  const { conditions, steps, tail } = layOut(pattern)
  const states = new StateTable(steps, conditions, tail)
  const aggregates = pattern.aggregates ?? []
  const named = new Set([...conditions.flatMap((c) => c.matcher.events), ...(pattern.events ?? [])])
  const bitsOf = (type: string | null) =>
    conditions.reduce((bits, c) => (takesType(c.matcher, type) ? bits | c.bit : bits), 0)
  const limits = { ...DEFAULT_BOUNDS, ...pattern.bounds }
  const compiled: CompiledPattern = {
    pattern,
    types: new Map([...named].map((type) => [type, bitsOf(type)])),
    anyType: bitsOf(null),
    conditions,
    steps,
    states,
    begin: states.start(),
    within: pattern.within ?? null,
    skip: pattern.skip ?? { type: 'none' },
    limits,
    bounds: limits,
    endsLater: tail.bans.length > 0,
    lateness: pattern.lateness ?? 0,
    grace: pattern.grace ?? 0,
    reach: pattern.within ?? Infinity,
    aggregates,
    feeds: steps.map((step) => aggregates.flatMap((a, slot) => (a.stage === step.stage.name ? [slot] : []))),
    signature: signatureOf(pattern),
    start: (out, state) => new FlatExecutor(compiled, out, state as FlatState | undefined),
  }
  return compiled
}

function takesType(matcher: Matcher, type: string | null): boolean {
  return matcher.events.length === 0 || (type !== null && matcher.events.includes(type))
}

function layOut(pattern: Pattern): { conditions: Condition[]; steps: Step[]; tail: Tail } {
  const conditions: Condition[] = []
  const condition = (matcher: Matcher): Condition => {
    const made = { bit: 1 << conditions.length, index: conditions.length, matcher }
    conditions.push(made)
    return made
  }
  const steps: Step[] = []
  let bans: Condition[] = []
  let nextBans: Condition[] = []
  for (const stage of pattern.stages) {
    if (stage.kind === 'not') {
      const into = stage.contiguity === 'strict' ? nextBans : bans
      into.push(condition(stage))
      continue
    }
    if (stage.kind === 'group') throw fault('PATTERN_INVALID', 'groups are not there yet')
    const { min, max } = stage.times ?? { min: 1, max: 1 }
    const until = stage.until === undefined ? null : condition(stage.until)
    steps.push({ stage, index: steps.length, condition: condition(stage), until, min, max, bans, nextBans })
    bans = []
    nextBans = []
  }
  return { conditions, steps, tail: { bans, nextBans } }
}

function signatureOf(pattern: Pattern): string {
  const stages = pattern.stages.map((s) =>
    s.kind === 'not'
      ? ['not', s.contiguity, ...s.events]
      : s.kind === 'group'
        ? ['group']
        : [s.name, s.contiguity, s.times, s.inner, s.optional, s.greedy, s.until?.events, ...s.events],
  )
  return JSON.stringify([
    stages,
    pattern.within ?? null,
    pattern.lateness ?? 0,
    pattern.aggregates?.map((a) => a.text) ?? [],
    ...(pattern.grace ? [pattern.grace] : []),
  ])
}
