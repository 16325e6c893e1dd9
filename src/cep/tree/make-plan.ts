import { LiveAnd } from './live-and.js'
import { LiveEvery } from './live-every.js'
import { LiveFilter } from './live-filter.js'
import { LiveNot } from './live-not.js'
import { LiveOr } from './live-or.js'
import { LiveSeq } from './live-seq.js'
import { LiveInterval, LiveWithin } from './live-time.js'
import { LiveUntil } from './live-until.js'
import type { FilterPlan, IntervalPlan, NotPlan, PartsPlan, Plan, UntilPlan, WithinPlan, EveryPlan } from './plan.js'
import { traitsOf } from './traits.js'
import type {
  AndTree,
  EveryTree,
  FilterTree,
  IntervalTree,
  NotTree,
  OrTree,
  SeqTree,
  Tree,
  WithinTree,
} from './tree.js'

/**
 * Makes every part of a tree ready to be run.
 * @param filters those of the tree are added, in its order
 * @param ends it stands in a `not` or in the end of an `until`
 */
export function makePlan(tree: Tree, filters: FilterPlan[], ends = false): Plan {
  const inside = (part: Tree, ending = ends) => makePlan(part, filters, ending)
  switch (tree.kind) {
    case 'filter':
      return filterPlan(tree, filters, ends)
    case 'seq':
    case 'and':
    case 'or': {
      const parts = tree.parts.map((part) => inside(part))
      return partsPlan(tree, parts)
    }
    case 'interval':
    case 'within':
      return timePlan(tree, inside)
    case 'not':
    case 'every':
      return unaryPlan(tree, inside(tree.part, ends || tree.kind === 'not'))
    case 'until':
      return untilPlan(tree, inside(tree.part), inside(tree.end, true), tree.min ?? 0, tree.max ?? null)
    case 'repeat':
      return untilPlan(tree, inside(tree.part), null, tree.count, tree.count)
  }
}

function timePlan(tree: IntervalTree | WithinTree, inside: (part: Tree) => Plan): Plan {
  const traits = traitsOf(tree)
  if (tree.kind === 'interval') {
    const plan: IntervalPlan = {
      ...traits,
      kind: 'interval',
      ms: tree.ms,
      shown: `${tree.ms} ms`,
      make: (parent, ground) => new LiveInterval(plan, parent, ground),
    }
    return plan
  }
  const part = inside(tree.part)
  const plan: WithinPlan = {
    ...traits,
    kind: 'within',
    part,
    ms: tree.ms,
    shown: part.shown,
    make: (parent, ground) => new LiveWithin(plan, parent, ground),
  }
  return plan
}

function unaryPlan(tree: NotTree | EveryTree, part: Plan): Plan {
  const base = { ...traitsOf(tree), part, shown: part.shown }
  if (tree.kind === 'not') {
    const plan: NotPlan = { ...base, kind: 'not', make: (parent, ground) => new LiveNot(plan, parent, ground) }
    return plan
  }
  const plan: EveryPlan = { ...base, kind: 'every', make: (parent, ground) => new LiveEvery(plan, parent, ground) }
  return plan
}

function filterPlan(tree: FilterTree, filters: FilterPlan[], ends: boolean): FilterPlan {
  const { tag, events } = tree
  const plan: FilterPlan = {
    ...traitsOf(tree),
    kind: 'filter',
    tag: tag ?? null,
    matcher: tree,
    index: 0,
    ends,
    starts: false,
    shown: tag ?? (events.length > 0 ? events.join(' or ') : 'any event'),
    make: (parent, ground) => new LiveFilter(plan, parent, ground),
  }
  filters.push(plan)
  return plan
}

function partsPlan(tree: SeqTree | AndTree | OrTree, parts: readonly Plan[]): PartsPlan {
  const idleAfter = parts.map((_, at) => parts.slice(at + 1).reduce((sum, part) => sum + part.idle, 0))
  const Kind = tree.kind === 'seq' ? LiveSeq : tree.kind === 'and' ? LiveAnd : LiveOr
  const plan: PartsPlan = {
    ...traitsOf(tree),
    kind: tree.kind,
    parts,
    idleAfter,
    shown: parts.map(({ shown }) => shown).join(tree.kind === 'seq' ? ', then ' : ` ${tree.kind} `),
    make: (parent, ground) => new Kind(plan, parent, ground),
  }
  return plan
}

function untilPlan(tree: Tree, part: Plan, end: Plan | null, min: number, max: number | null): UntilPlan {
  const plan: UntilPlan = {
    ...traitsOf(tree),
    kind: 'until',
    part,
    end,
    min,
    max,
    shown: part.shown,
    make: (parent, ground) => new LiveUntil(plan, parent, ground),
  }
  return plan
}

/** Notes which filters wait when the tree begins. */
export function noteStarts(plan: Plan): void {
  switch (plan.kind) {
    case 'filter':
      plan.starts = true
      return
    case 'interval':
      return
    case 'seq': {
      const waits = plan.parts.findIndex(({ idle }) => idle > 0)
      for (const part of plan.parts.slice(0, waits === -1 ? plan.parts.length : waits + 1)) noteStarts(part)
      return
    }
    case 'and':
    case 'or':
      for (const part of plan.parts) noteStarts(part)
      return
    case 'until':
      if (plan.end !== null) noteStarts(plan.end)
      noteStarts(plan.part)
      return
    default:
      noteStarts(plan.part)
  }
}
