// Nine patterns and their event generator, with the match and timeout counts that Flink CEP's own NFA finds in the first n
// events (Flink 2.0-SNAPSHOT, commit b48ccce, in memory). queries.json is taken over unchanged; the counts are Flink's.
// The generator is the one with which the counts were made (mulberry32, seed 42): the same numbers, the same events.
import { readFileSync } from 'node:fs'
import type { Aggregate, Bound, Contiguity, Pattern, Stage } from '../../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../../src/event/event.ts'

type Operand = string | number | { readonly [op: string]: string | readonly [string, string] }
type Pred = { readonly [op: string]: readonly [Operand, Operand] | readonly Pred[] }

interface QueryStage {
  readonly name: string
  readonly where?: Pred
  readonly not?: true
  readonly contiguity?: Contiguity
  readonly [more: string]: unknown
}

export interface Query {
  readonly id: string
  readonly about: string
  readonly keys: number
  readonly names: Readonly<Record<string, number>>
  readonly pattern: { readonly stages: readonly QueryStage[]; readonly within?: number }
  readonly skip: { readonly type: string }
  readonly n: number
}

/** [matches, timeouts] in the first n events. */
export const FLINK_COUNTS: Readonly<Record<string, readonly [number, number]>> = {
  B1: [6_633, 4],
  B2: [3_144, 0],
  B3: [102, 1_230],
  B4: [3_074, 2_561],
  B5: [47_525, 0],
  B6: [6_945, 0],
  B7: [191_963, 43_301],
  B8: [6_139, 13_249],
  B9: [1_633, 32_571],
}

export function readQueries(): Query[] {
  return JSON.parse(readFileSync(new URL('queries.json', import.meta.url), 'utf8')) as Query[]
}

export interface Keyed {
  readonly kind: 'event'
  readonly key: string
  readonly event: StoredEvent
}

/** The query's events, without end: type is the name, data.price a number from 0 to 999, one millisecond apart. */
export function sourceOf(query: Query, seed = 42): () => Keyed {
  let state = seed | 0
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const bag = Object.entries(query.names).flatMap(([name, weight]) => Array.from({ length: weight }, () => name))
  const keys = Array.from({ length: query.keys }, (_, at) => `key-${at}`)
  let time = 0
  return () => {
    const key = keys[Math.floor(random() * query.keys)] as string
    const type = bag[Math.floor(random() * bag.length)] as string
    return { kind: 'event', key, event: storedEvent(type, key, Math.floor(random() * 1_000), ++time) }
  }
}

const NO_ATTRIBUTES = {}

export function storedEvent(type: string, key: string, price: number, time: number): StoredEvent {
  return {
    id: `e${time}`,
    source: '/bench',
    type,
    version: 1,
    time,
    key,
    data: { price },
    correlationId: undefined,
    causationId: undefined,
    attributes: NO_ATTRIBUTES,
    stream: 'BENCH',
    sequence: time,
    storedAt: time,
  }
}

const SKIPS: Readonly<Record<string, 'none' | 'past-last'>> = { none: 'none', pastLast: 'past-last' }

/** The query as a pattern of Millrace: a condition on the name is the event's type. */
export function patternOf(query: Query): Pattern {
  const aggregates: Aggregate[] = []
  const names = Object.keys(query.names)
  const stages = query.pattern.stages.map(({ where, not, name, ...rest }): Stage => {
    const type = where === undefined ? undefined : typeNamed(where)
    const matcher =
      where === undefined || type !== undefined
        ? { events: type === undefined ? names : [type] }
        : { events: names, where: predicate(where, aggregates), local: !readsStages(where) }
    if (not === true) return { kind: 'not', ...rest, ...matcher } as Stage
    return { kind: 'take', name, ...rest, ...matcher } as Stage
  })
  const skip = { type: SKIPS[query.skip.type] ?? 'none' }
  // Flink has no bounds. Where there is no window, one must be given; the others must not drop what Flink counts.
  const bounds = { partialMatchesPerKey: 1_000_000, matchesPerAdvance: 1_000_000 }
  const { within } = query.pattern
  // Flink's counts are those of an NFA that holds matches back, which makes a difference here (docs/flink.md).
  const compat = query.id.startsWith('B4') ? { compat: 'flink' as const } : {}
  return { stages, ...(within === undefined ? {} : { within }), skip, ...compat, events: names, aggregates, bounds }
}

function typeNamed(where: Pred): string | undefined {
  const [left, right] = (where['eq'] ?? []) as readonly [Operand, Operand]
  return left === 'name' && typeof right === 'string' ? right : undefined
}

function readsStages(where: Pred): boolean {
  return /"(last|count)"/.test(JSON.stringify(where))
}

type Test = (event: StoredEvent, bound: Bound) => boolean
type Read = (event: StoredEvent, bound: Bound) => unknown

function predicate(pred: Pred, aggregates: Aggregate[]): Test {
  const [op, args] = Object.entries(pred)[0] as [string, readonly [never, never]]
  if (op === 'and' || op === 'or') {
    const [a, b] = (args as readonly Pred[]).map((inner) => predicate(inner, aggregates)) as [Test, Test]
    return op === 'and' ? (e, x) => a(e, x) && b(e, x) : (e, x) => a(e, x) || b(e, x)
  }
  const [left, right] = [operand(args[0], true, aggregates), operand(args[1], false, aggregates)]
  if (op === 'eq') return (e, x) => left(e, x) === right(e, x)
  // comparing with nothing is false
  if (op === 'lt') return (e, x) => less(left(e, x), right(e, x))
  if (op === 'gt') return (e, x) => less(right(e, x), left(e, x))
  throw new Error(`no such condition: ${op}`)
}

function less(a: unknown, b: unknown): boolean {
  return a !== null && b !== null && (a as number) < (b as number)
}

function operand(value: Operand, first: boolean, aggregates: Aggregate[]): Read {
  if (typeof value === 'string' && first) return ({ data }) => (data as { price: number }).price
  if (typeof value !== 'object') return () => value
  const [op, args] = Object.entries(value)[0] as [string, string | readonly [string, string]]
  const stage = typeof args === 'string' ? args : args[0]
  const text = `${op}(${stage})`
  let slot = aggregates.findIndex((each) => each.text === text)
  if (slot === -1) {
    const last: Aggregate['add'] = (_, { data }) => (data as { price: number }).price
    const count: Aggregate['add'] = (n) => (n as number) + 1
    slot = aggregates.push({ stage, text, initial: op === 'count' ? 0 : null, add: op === 'count' ? count : last }) - 1
  }
  return (_, bound) => bound[slot]
}
