import type { StoredEvent } from '../../event/event.js'
import { parseDuration } from '../../time/duration.js'
import type { AnyEvent } from '../engine/any-event.js'
import type { Time } from '../pattern/chain.js'
import { conditionOf, earlierAggregates, type Condition, type EarlierEvents } from '../pattern/earlier.js'
import { typesOf, type EventIn, type Events, type Shape, type Shapes } from '../pattern/stage-shape.js'
import { typedPattern, type TypedPattern } from '../pattern/typed-pattern.js'
import { tagsOf } from './check-tree.js'
import { compileTree } from './compile-tree.js'
import type { Tree, TreePattern } from './tree.js'

/** An expression of the algebra, with the tags that its matches have. */
export interface Expression<S extends Shapes> {
  readonly shapes?: S
  /** How it is made, once it is known by which names conditions read what was taken. */
  readonly tree: (names: Names) => Tree
  /** Some condition reads what was taken before. */
  readonly reads: boolean
  /** Tags that may have several events. */
  readonly many: readonly string[]
}

interface Names {
  readonly tags: () => readonly string[]
}

// oxlint-disable-next-line typescript/no-explicit-any -- any expression, whatever its tags
type AnyExpression = Expression<any>
type ShapesIn<E> = E extends Expression<infer S> ? S : never
type Both<All> = (All extends unknown ? (each: All) => void : never) extends (each: infer Each) => void ? Each : never
type Merged<Parts extends readonly AnyExpression[]> =
  Both<ShapesIn<Parts[number]>> extends infer S extends Shapes ? { readonly [Tag in keyof S]: S[Tag] } : never
type Changed<S extends Shapes, Change extends Partial<Shape>> = {
  readonly [Tag in keyof S]: Omit<S[Tag], keyof Change> & Change & Shape
}
type None = Record<never, never>
/** What a condition reads by tag. Which tags there are is known when the whole is compiled. */
export type EarlierTags = Readonly<Record<string, EarlierEvents<AnyEvent, false>>>

/** One event, found under `tag`. `where` reads what was taken before the part began that this stands in. */
function on<const Tag extends string, const E extends Events>(
  tag: Tag,
  events: E,
  where?: Condition<EventIn<E>, EarlierTags>,
): Expression<{ readonly [T in Tag]: { readonly event: EventIn<E>; readonly many: false; readonly optional: false } }> {
  return {
    tree: ({ tags }) => ({ kind: 'filter', tag, events: typesOf(events), ...conditionOf(where, tags) }),
    reads: where !== undefined && where.length > 1,
    many: [],
  }
}

function parts<const P extends readonly AnyExpression[]>(kind: 'seq' | 'and' | 'or', all: P): AnyExpression {
  const tags = all.flatMap((part) => tagsOf(part.tree({ tags: () => [] })))
  return {
    tree: (names) => ({ kind, parts: all.map((part) => part.tree(names)) }),
    reads: all.some(({ reads }) => reads),
    // Two parts may use one tag: its events are a list then.
    many: [...all.flatMap(({ many }) => many), ...tags.filter((tag, at) => tags.indexOf(tag) !== at)],
  }
}

/** One after the other. */
function seq<const P extends readonly AnyExpression[]>(...all: P): Expression<Merged<P>> {
  return parts('seq', all)
}

/** All of them, in any order. */
function and<const P extends readonly AnyExpression[]>(...all: P): Expression<Merged<P>> {
  return parts('and', all)
}

/** Any of them. */
function or<const P extends readonly AnyExpression[]>(
  ...all: P
): Expression<Changed<Merged<P>, { readonly optional: true }>> {
  return parts('or', all)
}

/** True until it comes. */
function not(part: AnyExpression): Expression<None> {
  return { tree: (names) => ({ kind: 'not', part: part.tree(names) }), reads: part.reads, many: [] }
}

/** Again each time that it comes, and when it cannot come any more. */
function every<S extends Shapes>(part: Expression<S>): Expression<S> {
  return { ...part, tree: (names) => ({ kind: 'every', part: part.tree(names) }) }
}

/** As often as it comes, until `end` comes. */
function until<S extends Shapes, E extends Shapes>(
  part: Expression<S>,
  end: Expression<E>,
  { min = 0, max = null }: { readonly min?: number; readonly max?: number | null } = {},
): Expression<Merged<readonly [Expression<Changed<S, { many: true; optional: true }>>, Expression<E>]>> {
  const list = tagsOf(part.tree({ tags: () => [] }))
  return {
    tree: (names) => ({ kind: 'until', part: part.tree(names), end: end.tree(names), min, max }),
    reads: part.reads || end.reads,
    many: [...list, ...end.many],
  }
}

/** So many times, one after the other. */
function repeat<S extends Shapes>(count: number, part: Expression<S>): Expression<Changed<S, { many: true }>> {
  const many = tagsOf(part.tree({ tags: () => [] }))
  return { tree: (names) => ({ kind: 'repeat', part: part.tree(names), count }), reads: part.reads, many }
}

/** That long after it began: time brings it. */
function interval(time: Time): Expression<None> {
  return { tree: () => ({ kind: 'interval', ms: parseDuration(time) }), reads: false, many: [] }
}

/** It comes less than this after it began, or not at all. */
function within<S extends Shapes>(time: Time, part: Expression<S>): Expression<S> {
  return { ...part, tree: (names) => ({ kind: 'within', part: part.tree(names), ms: parseDuration(time) }) }
}

/** What is said of the whole, beside the tree; times also as text. */
export interface AlgebraOptions extends Omit<TreePattern, 'tree' | 'aggregates' | 'forget' | 'lateness' | 'grace'> {
  readonly forget?: Time
  readonly lateness?: Time
  readonly grace?: Time
  /** What belongs together. */
  readonly key?: (event: AnyEvent) => string | undefined
}

/** The expression as data. */
function data(of: AnyExpression, options: AlgebraOptions = {}): TreePattern {
  const { key, forget, lateness, grace, ...rest } = options
  void key // not of the tree: who runs it gives each event its key
  let tags: readonly string[] = []
  const tree = of.tree({ tags: () => tags })
  if (of.reads) tags = [...new Set(tagsOf(tree))]
  return {
    ...rest,
    ...(forget === undefined ? {} : { forget: parseDuration(forget) }),
    ...(lateness === undefined ? {} : { lateness: parseDuration(lateness) }),
    ...(grace === undefined ? {} : { grace: parseDuration(grace) }),
    tree,
    aggregates: earlierAggregates(tags),
  }
}

/**
 * Makes an expression ready to run.
 * @throws PATTERN_INVALID with every fault found, state that nothing bounds among them; DURATION_INVALID
 */
function compile<S extends Shapes>(of: Expression<S>, options: AlgebraOptions = {}): TypedPattern<S, TreePattern> {
  const pattern = data(of, options)
  const keyOf = options.key as ((event: StoredEvent) => string | undefined) | undefined
  return typedPattern(pattern, compileTree(pattern), keyOf, new Set(of.many))
}

/**
 * Patterns as an algebra: expressions over single events, combined freely.
 *
 * @example
 * const unpaid = algebra.compile(
 *   seq(every(on('order', OrderPlaced)), within('2h', and(interval('1h'), not(on('paid', OrderPaid))))),
 * )
 */
export const algebra = { on, seq, and, or, not, every, until, repeat, interval, within, data, compile } as const
