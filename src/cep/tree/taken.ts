import type { StoredEvent } from '../../event/event.js'
import type { Aggregate, Bound } from '../pattern/pattern.js'

/** One taken event, with what was taken before it. What begins alike shares its beginning. */
export interface Taken {
  readonly before: Taken | null
  readonly event: StoredEvent
  /** Name under which it is found; null: only among all events. */
  readonly tag: string | null
  /** The event's place in the order in which the executor saw events. */
  readonly at: number
  /** Running values after it; filled in when first read. */
  bound: Bound | null
}

/** What was taken behind `begin`, in order. */
export function takenSince(taken: Taken | null, begin: Taken | null): Taken[] {
  const own: Taken[] = []
  for (let t = taken; t !== begin && t !== null; t = t.before) own.push(t)
  return own.reverse()
}

/** Appends what was taken elsewhere. */
export function append(taken: Taken | null, own: readonly Taken[]): Taken | null {
  let last = taken
  for (const { event, tag, at } of own) last = { before: last, event, tag, at, bound: null }
  return last
}

/** Running values over tags, kept along what was taken so that each event is added once. */
export class Running {
  readonly #aggregates: readonly Aggregate[]
  readonly #none: Bound
  readonly #feeds = new Map<string | null, number[]>()

  constructor(aggregates: readonly Aggregate[]) {
    this.#aggregates = aggregates
    this.#none = aggregates.map(({ initial }) => initial)
    for (const [slot, { stage }] of aggregates.entries())
      this.#feeds.set(stage, [...(this.#feeds.get(stage) ?? []), slot])
  }

  of(taken: Taken | null): Bound {
    const missing: Taken[] = []
    let t = taken
    while (t !== null && t.bound === null) {
      missing.push(t)
      t = t.before
    }
    let bound = t?.bound ?? this.#none
    for (const next of missing.reverse()) {
      bound = this.#add(bound, next)
      next.bound = bound
    }
    return bound
  }

  #add(bound: Bound, { tag, event }: Taken): Bound {
    const feeds = this.#feeds.get(tag)
    if (feeds === undefined) return bound
    const next = bound.slice()
    for (const slot of feeds) next[slot] = this.#aggregates[slot]?.add(bound[slot], event)
    return next
  }
}
