// Cases of kind tree: an expression of the pattern algebra, as Esper's tests have them.
import { partsOf } from '../src/cep/tree/check-tree.ts'
import { compileTree } from '../src/cep/tree/compile-tree.ts'
import { traitsOf } from '../src/cep/tree/traits.ts'
import type { Tree, TreePattern } from '../src/cep/tree/tree.ts'
import type { Case, CaseRunner } from './case.ts'
import { runExecutable } from './run-executable.ts'

type CaseTree = Readonly<Record<string, unknown>>

export interface TreeCase extends Case {
  readonly kind: 'tree'
  /** As it is written in Esper's language. */
  readonly text?: string
  readonly tree: CaseTree
}

/** The tree of a case. */
export function readTree({ tree, text = '' }: TreeCase): Tree {
  return read(associated(tree, text))
}

function read(from: CaseTree): Tree {
  const part = (of: unknown) => read(of as CaseTree)
  const parts = (of: unknown) => (of as CaseTree[]).map(read)
  const [kind] = Object.keys(from)
  switch (kind) {
    case 'filter':
      return filter(from['filter'] as CaseTree)
    case 'seq':
    case 'and':
    case 'or':
      return { kind, parts: parts(from[kind]) }
    case 'not':
    case 'every':
      return { kind, part: part(from[kind]) }
    case 'within':
      return { kind, part: part(from['within']), ms: from['ms'] as number }
    case 'interval':
      return { kind, ms: from['interval'] as number }
    case 'repeat':
      return { kind, part: part(from['repeat']), count: from['count'] as number }
    case 'until': {
      const [body, end] = parts(from['until']) as [Tree, Tree]
      const [min, max] = [from['min'] as number | null, from['max'] as number | null]
      return { kind, part: body, end, min: min ?? 0, max: max ?? null }
    }
    default:
      throw new Error(`a tree of ${Object.keys(from).join()}`)
  }
}

function filter({ type, tag, id }: CaseTree): Tree {
  return {
    kind: 'filter',
    events: [String(type)],
    ...(id === undefined ? {} : { where: (event: { readonly id: string }) => event.id === id, local: true }),
    ...(tag === undefined ? {} : { tag: String(tag) }),
  }
}

/** `every [n] X until Y` is read by Esper as `(every [n] X) until Y`; the corpus has `every ([n] X until Y)`. */
function associated(tree: CaseTree, text: string): CaseTree {
  if (!/every\s*\[\d+\][^()]*until/.test(text)) return tree
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk)
    if (part === null || typeof part !== 'object') return part
    const { until, min, max } = ((part as CaseTree)['every'] ?? {}) as CaseTree
    if (Array.isArray(until) && typeof min === 'number' && min === max)
      return { until: [{ every: { repeat: walk(until[0]), count: min } }, walk(until[1])] }
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, walk(value)]))
  }
  return walk(tree) as CaseTree
}

/**
 * Whether the tree has an `every` over a part that comes several times by itself. Each coming doubles what runs, and the
 * corpus lists the equal matches of such trees fewer times than they come in some cases (test/fixtures/cep/README.md).
 */
export function multiplies(given: Case): boolean {
  if (given.kind !== 'tree') return false
  const has = (part: Tree): boolean => {
    if (part.kind === 'every' && traitsOf(part.part).repeats) return true
    return partsOf(part).some(has)
  }
  return has(readTree(given as TreeCase))
}

/** Without bounds, as Esper: cases are bounded by their length. The pattern begins at 0 s, before the first event. */
function patternOf(given: TreeCase): TreePattern {
  return {
    tree: readTree(given),
    events: [BEGIN, ...new Set(given.events.map((entry) => String('name' in entry ? entry['name'] : '')))],
    compat: 'esper',
    forget: Number.MAX_SAFE_INTEGER,
    bounds: { partialMatchesPerKey: 1_000_000, partialMatches: 10_000_000, matchesPerAdvance: 1_000_000 },
  }
}

const BEGIN = 'begin'

/** What comes as the pattern begins comes before anybody listens: it is not among the matches. */
export const runTreeCase: CaseRunner = (given, options) => {
  const treeCase = given as TreeCase
  const begin = { id: BEGIN, ts: 0, name: BEGIN }
  const { restoreAfter } = options
  const outcome = runExecutable(
    () => compileTree(patternOf(treeCase)),
    { ...given, events: [begin, ...given.events], snapshotAfter: given.snapshotAfter?.map((at) => at + 1) ?? [] },
    { ...options, restoreAfter: (entry) => entry === 0 || restoreAfter(entry - 1) },
    () => '',
  )
  const heard = outcome.at.map((at) => at > 0)
  return {
    ...outcome,
    matches: outcome.matches.filter((_, index) => heard[index]),
    at: outcome.at.filter((at) => at > 0).map((at) => at - 1),
  }
}
