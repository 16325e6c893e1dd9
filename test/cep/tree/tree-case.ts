// Reads a case of Esper's pattern tests (test/fixtures/cep/README.md) and runs it through the engine.
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Found } from '../../../src/cep/engine/match.ts'
import { partsOf } from '../../../src/cep/tree/check-tree.ts'
import { compileTree } from '../../../src/cep/tree/compile-tree.ts'
import { traitsOf } from '../../../src/cep/tree/traits.ts'
import type { Tree, TreePattern } from '../../../src/cep/tree/tree.ts'
import { storedEvent } from '../stored-event.ts'

export type CaseTree = { readonly [op: string]: unknown }
export interface TreeCase {
  readonly id: string
  readonly kind?: string
  readonly text: string
  readonly tree: CaseTree
  readonly events: readonly { readonly id: string; readonly ts: number; readonly name: string }[]
  readonly expected: readonly Readonly<Record<string, readonly string[]>>[]
  readonly at: readonly number[]
}

export function readTree(from: CaseTree): Tree {
  const parts = (of: unknown) => (of as CaseTree[]).map(readTree)
  const one = (of: unknown) => readTree(of as CaseTree)
  if ('filter' in from) {
    const { type, tag, id } = from['filter'] as { type: string; tag?: string; id?: string }
    const matcher = {
      events: [type],
      ...(id === undefined ? {} : { where: (e: { id: string }) => e.id === id, local: true }),
    }
    return { kind: 'filter', ...matcher, ...(tag === undefined ? {} : { tag }) }
  }
  if ('seq' in from) return { kind: 'seq', parts: parts(from['seq']) }
  if ('and' in from) return { kind: 'and', parts: parts(from['and']) }
  if ('or' in from) return { kind: 'or', parts: parts(from['or']) }
  if ('not' in from) return { kind: 'not', part: one(from['not']) }
  if ('every' in from) return { kind: 'every', part: one(from['every']) }
  if ('within' in from) return { kind: 'within', part: one(from['within']), ms: from['ms'] as number }
  if ('interval' in from) return { kind: 'interval', ms: from['interval'] as number }
  if ('repeat' in from) return { kind: 'repeat', part: one(from['repeat']), count: from['count'] as number }
  if ('until' in from) {
    const [part, end] = parts(from['until']) as [Tree, Tree]
    return {
      kind: 'until',
      part,
      end,
      min: (from['min'] as number | null) ?? 0,
      max: (from['max'] as number | null) ?? null,
    }
  }
  throw new Error(`a tree of ${Object.keys(from).join()}`)
}

/**
 * Whether the tree has an `every` over a part that comes several times by itself. Each coming doubles what runs, and
 * Esper's tests then expect many equal matches; the corpus has some of these fewer times than the engine (README.md).
 */
export function multiplies(tree: CaseTree): boolean {
  const has = (part: Tree): boolean => {
    if (part.kind === 'every' && part.part.kind !== 'every' && traitsOf(part.part).repeats) return true
    return partsOf(part).some(has)
  }
  return has(readTree(tree))
}

/** `every [n] X until Y` is read by Esper as `(every [n] X) until Y`; the corpus has it as `every ([n] X until Y)`. */
function corrected({ tree, text: written }: TreeCase): CaseTree {
  if (!/every\s*\[\d+\][^()]*until/.test(written)) return tree
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk)
    if (part === null || typeof part !== 'object') return part
    const { every } = part as CaseTree
    const { until, min, max } = (every ?? {}) as CaseTree
    if (Array.isArray(until) && typeof min === 'number' && min === max)
      return { until: [{ every: { repeat: walk(until[0]), count: min } }, walk(until[1])] }
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, walk(value)]))
  }
  return walk(tree) as CaseTree
}

export const BEGIN = storedEvent({ type: 'begin', id: 'begin', time: 0 })

/** Without bounds: Esper has none. */
export function patternOf(tree: Tree): TreePattern {
  return {
    tree,
    events: ['begin', ...'ABCDEFG'],
    compat: 'esper',
    forget: Number.MAX_SAFE_INTEGER,
    bounds: { partialMatchesPerKey: 1_000_000, matchesPerAdvance: 1_000_000 },
  }
}

const text = (stages: Readonly<Record<string, readonly string[]>>) =>
  JSON.stringify(Object.entries(stages).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Matches as text, of the tags that the case names, each with the event at which it came. */
export function runCase(c: TreeCase, restore = false): string[] {
  const compiled = compileTree(patternOf(readTree(corrected(c))))
  const tags = new Set(c.expected.flatMap((match) => Object.keys(match)))
  const asked = ({ stages }: Found) =>
    text(
      Object.fromEntries(
        Object.entries(stages).flatMap(([tag, events]) => (tags.has(tag) ? [[tag, events.map((e) => e.id)]] : [])),
      ),
    )
  let engine = createEngine(compiled)
  engine.advance({ kind: 'event', key: '', event: BEGIN })
  const matches: string[] = []
  for (const [at, { id, ts, name, ...data }] of c.events.entries()) {
    const event = storedEvent({ id, time: ts, type: name, data })
    for (const match of engine.advance({ kind: 'event', key: '', event }).matches) matches.push(`${asked(match)}#${at}`)
    if (restore) engine = createEngine(compiled, JSON.parse(JSON.stringify(engine.snapshot())))
  }
  return matches.sort()
}

export function expectedOf(c: TreeCase): string[] {
  return c.expected.map((match, i) => `${text(match)}#${c.at[i]}`).sort()
}
