import { traitsOf } from './traits.js'
import type { Tree, TreePattern } from './tree.js'

/** Deeper trees are refused: what comes in one part is passed on by as many calls. */
export const MOST_DEPTH = 100
/** How often an `every` may come by itself within the time that it has. */
export const MOST_BY_TIME = 10_000

/** What is wrong with a tree pattern, as sentences; nothing when it can be compiled. */
export function treeFaults(pattern: TreePattern): string[] {
  const depth = depthOf(pattern.tree)
  if (depth > MOST_DEPTH) return [`the tree is ${depth} deep; at most ${MOST_DEPTH} are possible`]
  const faults = partFaults(pattern.tree)
  if (faults.length === 0) faults.push(...stateFaults(pattern))
  const tags = new Set(tagsOf(pattern.tree))
  for (const { stage, text } of pattern.aggregates ?? [])
    if (!tags.has(stage)) faults.push(`${text} is about ${stage}, which is not a tag of the tree`)
  const { lateness = 0, grace = 0, forget } = pattern
  if (!(lateness >= 0)) faults.push('lateness must be a number of milliseconds, 0 or more')
  if (!(grace >= 0 && Number.isFinite(grace))) faults.push('grace must be a number of milliseconds, 0 or more')
  if (forget !== undefined && !(forget > 0)) faults.push('forget must be a number of milliseconds above 0')
  for (const [name, value] of Object.entries(pattern.bounds ?? {}))
    if (!(Number.isInteger(value) && value > 0)) faults.push(`${name} must be a whole number above 0`)
  return faults
}

/** Parts right below a tree; the end of an `until` last. */
export function partsOf(tree: Tree): readonly Tree[] {
  switch (tree.kind) {
    case 'filter':
    case 'interval':
      return []
    case 'seq':
    case 'and':
    case 'or':
      return tree.parts
    case 'until':
      return [tree.part, tree.end]
    default:
      return [tree.part]
  }
}

/** Tags of the filters. A match never lists those in a `not`; conditions in there can read them. */
export function tagsOf(tree: Tree): string[] {
  if (tree.kind === 'filter') return tree.tag === undefined ? [] : [tree.tag]
  return partsOf(tree).flatMap(tagsOf)
}

function depthOf(tree: Tree): number {
  return 1 + Math.max(0, ...partsOf(tree).map(depthOf))
}

function partFaults(tree: Tree): string[] {
  const faults = partsOf(tree).flatMap(partFaults)
  switch (tree.kind) {
    case 'filter':
      if (tree.tag === '') faults.push('a tag is a name')
      break
    case 'seq':
    case 'and':
    case 'or':
      if (tree.parts.length === 0) faults.push(`${tree.kind} without parts`)
      break
    case 'interval':
      if (!(tree.ms >= 0 && Number.isFinite(tree.ms)))
        faults.push('interval must be a number of milliseconds, 0 or more')
      break
    case 'within':
      if (!(tree.ms > 0 && Number.isFinite(tree.ms))) faults.push('within must be a number of milliseconds above 0')
      break
    case 'repeat':
      if (!isCount(tree.count)) faults.push('repeat needs a whole number from 1 up')
      if (faults.length === 0) faults.push(...atOnce(tree.part, 'repeat'))
      break
    case 'until': {
      const { min = 0, max = null } = tree
      if (!(min === 0 || isCount(min))) faults.push('until: min must be a whole number, 0 or more')
      if (max !== null && !(isCount(max) && max >= min))
        faults.push('until: max must be a whole number from 1 up, and not less than min')
      if (faults.length === 0) faults.push(...atOnce(tree.part, 'until'))
      break
    }
    default:
  }
  return faults
}

/**
 * What is wrong with a tree that comes by itself: after a silence it would come as often at once, and each time is a match.
 * For who runs trees of others; nothing when no `every` comes more than {@link MOST_BY_TIME} times without an event.
 */
export function floodFaults({ tree, forget = Infinity }: Pick<TreePattern, 'tree' | 'forget'>): string[] {
  return flood(tree, forget)
}

function flood(tree: Tree, limit: number): string[] {
  if (tree.kind === 'every') {
    const { idle } = traitsOf(tree.part)
    // what comes as it begins is dropped
    const times = idle === 0 ? 0 : Math.floor(limit / idle)
    if (times > MOST_BY_TIME)
      return [
        `an every comes ${Number.isFinite(times) ? `${times} times` : 'for ever'} without any event; at most ${MOST_BY_TIME} times are possible: make its interval longer, or within or forget shorter`,
      ]
  }
  const inner = tree.kind === 'within' ? Math.min(limit, tree.ms) : limit
  return partsOf(tree).flatMap((part) => flood(part, inner))
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0
}

/** Such a part would come again and again without an event, and without an end. */
function atOnce(part: Tree, what: string): string[] {
  return traitsOf(part).idle === 0 ? [`what ${what} repeats comes as soon as it begins: nothing would end it`] : []
}

function stateFaults({ tree, bounds, forget }: TreePattern): string[] {
  const faults: string[] = []
  const traits = traitsOf(tree)
  if (!traits.bounded && bounds?.partialMatchesPerKey === undefined)
    faults.push(
      'state would grow for ever: put what follows an every, and an until without max, into within, or give bounds.partialMatchesPerKey',
    )
  if (!traits.returns && forget === undefined)
    faults.push(
      'state of a key would stay for ever: give forget, the time without an event after which a key is forgotten',
    )
  return faults
}
