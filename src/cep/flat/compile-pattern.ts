import { fault, type MillraceError } from '../../error/millrace-error.js'
import { patternFaults } from '../pattern/check-pattern.js'
import type { BoundPolicies, Bounds, Pattern, Stage } from '../pattern/pattern.js'
import { TypeBits } from '../pattern/type-bits.js'
import { buildGraph } from './build-graph.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { mostWays } from './explore.js'
import { FlatExecutor } from './flat-executor.js'
import { FlinkExecutor } from './flink-executor.js'
import type { FlatState } from './snapshot.js'
import { StateTable } from './state-table.js'

/** Bounds of a pattern that does not name its own. */
export const DEFAULT_BOUNDS: Bounds = {
  partialMatchesPerKey: 1_000,
  partialMatches: 1_000_000,
  keys: 1_000_000,
  matchesPerAdvance: 10_000,
  waiting: 100_000,
}

/** What happens at bounds of a pattern that does not say. */
export const DEFAULT_POLICIES: Required<BoundPolicies> = {
  partialMatchesPerKey: 'drop-oldest',
  partialMatches: 'drop-oldest',
  keys: 'drop-oldest',
  matchesPerAdvance: 'drop-newest',
}

/**
 * Checks a pattern and compiles it: to a graph of places, and to a table of states, which is filled as events reach
 * them.
 * @throws PATTERN_INVALID with every fault found, state that nothing bounds among them
 */
export function compilePattern(pattern: Pattern): CompiledPattern {
  const faults = patternFaults(pattern)
  if (faults.length > 0)
    throw fault('PATTERN_INVALID', faults.join('; '), { issues: faults.map((detail) => ({ detail })) })
  const graph = buildGraph(pattern)
  const ways = mostWays(graph.nodes)
  if (ways > MOST_WAYS) throw tooManyWays(ways)
  const { conditions, steps, nodes } = graph
  const aggregates = pattern.aggregates ?? []
  const limits = { ...DEFAULT_BOUNDS, ...pattern.bounds }
  const policies = { ...DEFAULT_POLICIES, ...pattern.policies }
  const gaps = new Set(nodes.map(({ gap }) => gap).filter((gap) => gap < Infinity))
  const compiled: CompiledPattern = {
    pattern,
    types: new TypeBits(conditions, pattern.events ?? []),
    graph,
    conditions,
    steps,
    states: new StateTable(graph),
    within: pattern.within ?? null,
    gaps: [...gaps].sort((a, b) => a - b),
    skip: pattern.skip ?? { type: 'none' },
    limits,
    policies,
    bounds: { ...limits, failOnMatches: policies.matchesPerAdvance === 'fail' },
    endsLater: nodes.some(({ kind }) => kind === 'pending'),
    lateness: pattern.lateness ?? 0,
    grace: pattern.grace ?? 0,
    reach: pattern.within ?? Infinity,
    ...(pattern.orderBy === undefined ? {} : { orderBy: pattern.orderBy }),
    aggregates,
    feeds: steps.map((step) => aggregates.flatMap((a, slot) => (a.stage === step.stage.name ? [slot] : []))),
    signature: signatureOf(pattern),
    start: (out, state, trace) => {
      const saved = state as FlatState | undefined
      if (pattern.compat === 'flink') return new FlinkExecutor(compiled, out, saved, trace)
      return new FlatExecutor(compiled, out, saved, trace)
    },
  }
  return compiled
}

/** What is optional within what is optional and repeated multiplies: an event would be looked at in all these ways. */
const MOST_WAYS = 10_000

function tooManyWays(ways: number): MillraceError {
  const detail = `what is optional or repeated can be left out in ${ways} ways at one place; at most ${MOST_WAYS} are possible`
  return fault('PATTERN_INVALID', detail, { issues: [{ detail }] })
}

/** The shape that a snapshot depends on: what is numbered in it, and what a place means. */
function signatureOf(pattern: Pattern): string {
  return JSON.stringify([
    pattern.stages.map(signatureOfStage),
    pattern.within ?? null,
    pattern.lateness ?? 0,
    pattern.aggregates?.map((a) => a.text) ?? [],
    pattern.grace ?? 0,
    pattern.holdback ?? false,
    pattern.compat ?? null,
  ])
}

function signatureOfStage(stage: Stage): unknown[] {
  if (stage.kind === 'not') return ['not', stage.contiguity, stage.withinPrev, ...stage.events]
  const repeated = [stage.contiguity, stage.times, stage.inner, stage.optional, stage.until?.events]
  const gaps = [stage.withinPrev, stage.timesWindow]
  if (stage.kind === 'group') return ['group', ...repeated, ...gaps, ...stage.stages.map(signatureOfStage)]
  return [stage.name, ...repeated, ...gaps, stage.greedy, ...stage.events]
}
