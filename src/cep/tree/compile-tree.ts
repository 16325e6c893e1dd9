import { fault } from '../../error/millrace-error.js'
import type { Executable } from '../engine/executor.js'
import { DEFAULT_BOUNDS } from '../flat/compile-pattern.js'
import type { BoundPolicies, Bounds } from '../pattern/pattern.js'
import { treeFaults } from './check-tree.js'
import { makePlan, noteStarts } from './make-plan.js'
import type { FilterPlan, Plan } from './plan.js'
import { Running } from './taken.js'
import type { Tree, TreePattern } from './tree.js'
import { TreeExecutor } from './tree-executor.js'
import type { TreeState } from './tree-state.js'

/** A tree ready to run. May be shared by any number of engines. */
export interface CompiledTree extends Executable {
  readonly plan: Plan
  /** In the order in which they are shown an event. */
  readonly filters: readonly FilterPlan[]
  /** For each type that the rule sees, the filters that could take it. */
  readonly types: ReadonlyMap<string, readonly FilterPlan[]>
  /** Those of a type that is not named. */
  readonly anyType: readonly FilterPlan[]
  readonly running: Running
  readonly limits: Bounds
  readonly policies: BoundPolicies
  /** Infinity: no key is forgotten before its tree is as at its beginning. */
  readonly forget: number
  /** What a timer begins is begun at the time that was jumped to. */
  readonly jumps: boolean
  /** Time alone can bring a match. */
  readonly timed: boolean
}

/**
 * Checks a tree and compiles it.
 * @throws PATTERN_INVALID with every fault found, state that nothing bounds among them
 */
export function compileTree(pattern: TreePattern): CompiledTree {
  const faults = treeFaults(pattern)
  if (faults.length > 0)
    throw fault('PATTERN_INVALID', faults.join('; '), { issues: faults.map((detail) => ({ detail })) })
  const { tree } = pattern
  const found: FilterPlan[] = []
  const plan = makePlan(tree, found)
  noteStarts(plan)
  const filters = [...found.filter(({ ends }) => ends), ...found.filter(({ ends }) => !ends)]
  for (const [index, filter] of filters.entries()) filter.index = index
  const named = new Set([...filters.flatMap(({ matcher }) => matcher.events), ...(pattern.events ?? [])])
  const limits = { ...DEFAULT_BOUNDS, ...pattern.bounds }
  const compiled: CompiledTree = {
    plan,
    filters,
    types: new Map([...named].map((type) => [type, filters.filter(({ matcher }) => takes(matcher.events, type))])),
    anyType: filters.filter(({ matcher }) => matcher.events.length === 0),
    running: new Running(pattern.aggregates ?? []),
    limits,
    policies: pattern.policies ?? {},
    bounds: { ...limits, failOnMatches: pattern.policies?.matchesPerAdvance === 'fail' },
    forget: pattern.forget ?? Infinity,
    timed: hasInterval(tree),
    jumps: pattern.compat === 'esper',
    lateness: pattern.lateness ?? 0,
    grace: pattern.grace ?? 0,
    signature: signatureOf(tree, pattern),
    start: (out, state, trace) => new TreeExecutor(compiled, out, state as TreeState | undefined, trace),
  }
  return compiled
}

function takes(events: readonly string[], type: string): boolean {
  return events.length === 0 || events.includes(type)
}

function hasInterval(tree: Tree): boolean {
  return JSON.stringify(shapeOf(tree)).includes('"interval"')
}

function signatureOf(tree: Tree, { aggregates = [], forget, lateness = 0, grace = 0 }: TreePattern): string {
  return JSON.stringify([shapeOf(tree), forget ?? null, lateness, grace, aggregates.map(({ text }) => text)])
}

function shapeOf(tree: Tree): unknown {
  switch (tree.kind) {
    case 'filter':
      return [tree.kind, tree.tag ?? null, ...tree.events]
    case 'interval':
      return [tree.kind, tree.ms]
    case 'seq':
    case 'and':
    case 'or':
      return [tree.kind, ...tree.parts.map(shapeOf)]
    case 'until':
      return [tree.kind, tree.min ?? 0, tree.max ?? null, shapeOf(tree.part), shapeOf(tree.end)]
    case 'within':
      return [tree.kind, tree.ms, shapeOf(tree.part)]
    case 'repeat':
      return [tree.kind, tree.count, shapeOf(tree.part)]
    default:
      return [tree.kind, shapeOf(tree.part)]
  }
}
