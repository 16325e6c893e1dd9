// IntervalExecutor
//
// Pairs of events of one key by how far apart in event time they are.
//
// Invariants (tests cite them):
//   J4  Every pair within the bounds is found once, when the later of the two comes.
//   J5  An event is forgotten as soon as nothing that may still come can be paired with it.
import type { StoredEvent } from '../../event/event.js'
import type { BoundPolicy } from '../pattern/pattern.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import { Tally, type SavedTally } from '../engine/tally.js'
import { Ring } from '../engine/ring.js'
import { firstFrom, KeptEvents, type Kept, type KeyEntry } from './kept-events.js'

export interface IntervalSide {
  readonly name: string
  readonly types: ReadonlySet<string>
  readonly where: ((event: StoredEvent, key: string) => boolean) | undefined
  /** Those that find no partner are put out too. */
  readonly outer: boolean
}

/** An interval join in the form in which it runs. Durations in ms. */
export interface IntervalPlan {
  readonly sides: readonly [left: IntervalSide, right: IntervalSide]
  readonly lower: number
  readonly upper: number
  readonly on: ((left: StoredEvent, right: StoredEvent, key: string) => boolean) | undefined
  readonly limits: { readonly keys: number; readonly eventsPerSide: number; readonly policy: BoundPolicy }
}

/** [index of its key, event, order, 1: paired] */
type SavedKept = readonly [key: number, event: StoredEvent, at: number, paired: 0 | 1]

export interface IntervalState {
  readonly at: number
  readonly keys: readonly string[]
  readonly sides: readonly [readonly SavedKept[], readonly SavedKept[]]
  readonly tally: SavedTally
}

const BOTH = [0, 1] as const

export class IntervalExecutor implements Executor {
  readonly #plan: IntervalPlan
  readonly #out: Collector
  readonly #tally: Tally
  readonly #keys = new Map<string, KeyEntry>()
  readonly #all = [new KeptEvents(0), new KeptEvents(1)] as const
  /** How long after its time a left event may still be paired with a right one, and the other way round; in ms. */
  readonly #reach: readonly [number, number]
  #at = 0

  constructor(plan: IntervalPlan, out: Collector, state: IntervalState | undefined) {
    this.#plan = plan
    this.#out = out
    this.#reach = [plan.upper, -plan.lower]
    this.#tally = new Tally(state?.tally)
    if (state === undefined) return
    this.#at = state.at
    const entries = state.keys.map((key) => this.#entryOf(key))
    for (const side of BOTH)
      for (const [key, event, at, paired] of state.sides[side])
        this.#all[side].add({ event, of: entries[key] as KeyEntry, at, paired: paired === 1, gone: false })
  }

  take(event: StoredEvent, key: string): void {
    this.passTime(event.time)
    const takes = BOTH.filter((side) => this.#takes(side, event, key))
    if (takes.length === 0 || (!this.#keys.has(key) && !this.#hasRoom(key))) return
    const of = this.#entryOf(key)
    const kept = takes.map((side) => this.#pair(side, event, of))
    for (const [nth, side] of takes.entries()) {
      const one = kept[nth] as Kept
      if (this.#reach[side] >= 0) this.#store(side, one)
      else if (!one.paired) this.#putAlone(side, one, event.time)
    }
    this.#mayForget(of)
  }

  passTime(time: number): void {
    for (;;) {
      const side = this.#nextSide()
      const first = this.#all[side].first
      if (first === undefined || this.#overAt(side, first) > time) return
      this.#all[side].dropOldest(first.of)
      if (!first.paired) this.#putAlone(side, first, this.#overAt(side, first))
      this.#mayForget(first.of)
    }
  }

  /** Of those that have found no partner: paired ones bring nothing when they go. */
  get due(): number {
    return Math.min(...BOTH.map((side) => this.#dueOf(side)))
  }

  get horizon(): number {
    return Math.min(...BOTH.map((side) => this.#all[side].first?.event.time ?? Infinity))
  }

  get stats(): ExecutorStats {
    return {
      keys: this.#keys.size,
      partialMatches: this.#all[0].size + this.#all[1].size,
      ...this.#tally.stats,
    }
  }

  snapshot(): IntervalState {
    const numbers = new Map(Array.from(this.#keys.values(), (entry, number) => [entry, number] as const))
    const saved = (side: 0 | 1): SavedKept[] =>
      this.#all[side]
        .list()
        .map(({ event, of, at, paired }) => [numbers.get(of) as number, event, at, paired ? 1 : 0] as const)
    return {
      at: this.#at,
      keys: [...this.#keys.keys()],
      sides: [saved(0), saved(1)],
      tally: this.#tally.save(),
    }
  }

  /** Pairs an event with those of the other side that are there. */
  #pair(side: 0 | 1, event: StoredEvent, of: KeyEntry): Kept {
    const kept: Kept = { event, of, at: this.#at++, paired: false, gone: false }
    const { lower, upper } = this.#plan
    const [from, to] = side === 0 ? [event.time + lower, event.time + upper] : [event.time - upper, event.time - lower]
    const others = of.sides[1 - side] as Ring<Kept>
    for (let at = firstFrom(others, from); at < others.end; at++) {
      const other = others.at(at) as Kept
      if (other.event.time > to) break
      const [left, right] = side === 0 ? [event, other.event] : [other.event, event]
      if (!this.#isOn(left, right, of.key)) continue
      kept.paired = other.paired = true
      this.#put([left, right], of.key)
    }
    return kept
  }

  #put([left, right]: readonly [StoredEvent, StoredEvent], key: string): void {
    const [{ name: leftName }, { name: rightName }] = this.#plan.sides
    const events = left.time <= right.time ? [left, right] : [right, left]
    const values = { outcome: 'complete', missing: [], gap: right.time - left.time }
    const stages = { [leftName]: [left], [rightName]: [right] }
    const [first, last] = events as [StoredEvent, StoredEvent]
    this.#out.match({ kind: 'match', key, stages, events, first, last, time: last.time, values })
  }

  #putAlone(side: 0 | 1, { event, of: { key } }: Kept, time: number): void {
    const { name, outer } = this.#plan.sides[side]
    if (!outer) return
    const values = { outcome: 'missing', missing: [this.#plan.sides[1 - side]?.name] }
    const events = [event]
    this.#out.match({ kind: 'match', key, stages: { [name]: events }, events, first: event, last: event, time, values })
  }

  #takes(side: 0 | 1, event: StoredEvent, key: string): boolean {
    const { name, types, where } = this.#plan.sides[side]
    if (types.size > 0 && !types.has(event.type)) return false
    if (where === undefined) return true
    return this.#tally.holds(
      () => where(event, key),
      () => `${event.id}, ${name}`,
    )
  }

  #isOn(left: StoredEvent, right: StoredEvent, key: string): boolean {
    const { on } = this.#plan
    if (on === undefined) return left !== right
    if (left === right) return false
    return this.#tally.holds(
      () => on(left, right, key),
      () => `${left.id} and ${right.id}, on`,
    )
  }

  #entryOf(key: string): KeyEntry {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    const entry: KeyEntry = { key, sides: [new Ring(), new Ring()] }
    this.#keys.set(key, entry)
    return entry
  }

  #hasRoom(key: string): boolean {
    const { keys: most, policy } = this.#plan.limits
    if (this.#keys.size < most) return true
    if (!this.#tally.drops.makeRoom(policy, 'keys', most, key)) return false
    const [oldest] = this.#keys.values()
    if (oldest === undefined) return true
    for (const side of BOTH)
      while (oldest.sides[side].length > 0) this.#noteUnsaid(side, this.#all[side].dropOldest(oldest))
    this.#keys.delete(oldest.key)
    return true
  }

  #store(side: 0 | 1, kept: Kept): void {
    const { eventsPerSide: most, policy } = this.#plan.limits
    if (kept.of.sides[side].length >= most) {
      if (!this.#tally.drops.makeRoom(policy, 'eventsPerSide', most, kept.of.key)) return this.#noteUnsaid(side, kept)
      this.#noteUnsaid(side, this.#all[side].dropOldest(kept.of))
    }
    this.#all[side].add(kept)
  }

  /** An outer event that has found no partner and had no room: whether one would have come is not known any more. */
  #noteUnsaid(side: 0 | 1, kept: Kept | undefined): void {
    if (kept !== undefined && !kept.paired && this.#plan.sides[side].outer) this.#tally.drops.note('missing')
  }

  #mayForget(of: KeyEntry): void {
    if (of.sides[0].length + of.sides[1].length === 0) this.#keys.delete(of.key)
  }

  /** When time has come to this, in ms, nothing that comes can be paired with it: a partner may come at its very end. */
  #overAt(side: 0 | 1, { event }: Kept): number {
    return event.time + this.#reach[side] + 1
  }

  /** The side whose head is over first. */
  #nextSide(): 0 | 1 {
    const [left, right] = [this.#all[0].first, this.#all[1].first]
    if (left === undefined || right === undefined) return left === undefined ? 1 : 0
    const apart = this.#overAt(0, left) - this.#overAt(1, right)
    return apart < 0 || (apart === 0 && left.at < right.at) ? 0 : 1
  }

  #dueOf(side: 0 | 1): number {
    if (!this.#plan.sides[side].outer) return Infinity
    const first = this.#all[side].firstAlone
    return first === undefined ? Infinity : this.#overAt(side, first)
  }
}
