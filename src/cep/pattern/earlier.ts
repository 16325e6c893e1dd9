import type { StoredEvent } from '../../event/event.js'
import type { AnyEvent } from '../engine/any-event.js'
import type { Aggregate, Bound, Where } from './pattern.js'

/** Names of the fields of an event's data that hold numbers. */
export type NumberField<E> =
  E extends StoredEvent<string, infer Data>
    ? { [K in keyof Data & string]: NonNullable<Data[K]> extends number ? K : never }[keyof Data & string]
    : never

/**
 * The events that a stage has taken so far, as a condition reads them. Sums and extremes are kept while events are taken:
 * asking costs the same however many there are. A value over no event, and one of a field that some event lacks, is NaN
 * (the sum of no event is 0), so that every comparison with it is false.
 */
export interface EarlierEvents<E, Must extends boolean = boolean> {
  readonly count: number
  readonly first: Must extends true ? E : E | undefined
  readonly last: Must extends true ? E : E | undefined
  sum(field: NumberField<E>): number
  avg(field: NumberField<E>): number
  min(field: NumberField<E>): number
  max(field: NumberField<E>): number
}

type Fold = 'sum' | 'min' | 'max'

/** One more event, and what was taken before. Partial matches that begin alike share what they keep. */
class TakenEvents {
  readonly count: number
  readonly first: StoredEvent
  readonly last: StoredEvent
  readonly #before: TakenEvents | null
  readonly #known = new Map<string, number>()

  constructor(before: TakenEvents | null, event: StoredEvent) {
    this.#before = before
    this.count = (before?.count ?? 0) + 1
    this.first = before?.first ?? event
    this.last = event
  }

  sum(field: string): number {
    return TakenEvents.#fold(this, 'sum', field)
  }

  avg(field: string): number {
    return this.sum(field) / this.count
  }

  min(field: string): number {
    return TakenEvents.#fold(this, 'min', field)
  }

  max(field: string): number {
    return TakenEvents.#fold(this, 'max', field)
  }

  /** From what was last asked: a value that is asked each time is one step away. */
  static #fold(last: TakenEvents, fold: Fold, field: string): number {
    const name = `${fold} ${field}`
    const missing: TakenEvents[] = []
    let at: TakenEvents | null = last
    while (at !== null && !at.#known.has(name)) {
      missing.push(at)
      at = at.#before
    }
    let value = at === null ? undefined : at.#known.get(name)
    for (const each of missing.reverse()) {
      const own = (each.last.data as Record<string, unknown>)[field]
      const number = typeof own === 'number' ? own : Number.NaN
      value = value === undefined ? number : fold === 'sum' ? value + number : Math[fold](value, number)
      each.#known.set(name, value)
    }
    return value as number
  }
}

const NONE: EarlierEvents<AnyEvent, false> = Object.freeze({
  count: 0,
  first: undefined,
  last: undefined,
  sum: () => 0,
  avg: () => Number.NaN,
  min: () => Number.NaN,
  max: () => Number.NaN,
})

/** Keeps what each stage has taken, for conditions that read it. */
export function earlierAggregates(stages: readonly string[]): Aggregate[] {
  return stages.map((stage) => ({
    stage,
    text: `earlier.${stage}`,
    initial: null,
    add: (before, event) => new TakenEvents(before as TakenEvents | null, event),
  }))
}

/** A condition as it is written: with one parameter it reads the event only. */
export type Condition<E, Earlier> = (event: E, earlier: Earlier, key: string) => boolean

/**
 * A written condition as patterns carry it. Which events there are is known by name only when the pattern is whole:
 * `stages` is read when the condition is.
 */
export function conditionOf(
  condition: Condition<never, never> | undefined,
  stages: () => readonly string[],
): { readonly where?: Where; readonly local?: boolean } {
  if (condition === undefined) return {}
  const ask = condition as unknown as (event: StoredEvent, earlier: unknown, key: string) => boolean
  if (condition.length < 2) return { where: (event) => ask(event, undefined, ''), local: true }
  return { where: (event, bound, key) => ask(event, readable(stages(), bound), key), local: false }
}

/** Most conditions ask again with the same values: one object for each set of values. */
const READABLE = new WeakMap<Bound, unknown>()

function readable(stages: readonly string[], bound: Bound): unknown {
  const known = READABLE.get(bound)
  if (known !== undefined) return known
  const made = Object.fromEntries(stages.map((stage, slot) => [stage, bound[slot] ?? NONE]))
  READABLE.set(bound, made)
  return made
}
