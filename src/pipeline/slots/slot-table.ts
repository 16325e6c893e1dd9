import { SlotIndex } from './slot-index.js'
import { SlotList, type Slot } from './slot.js'

/**
 * Event time between the end of a slot’s input and the slot’s own, in ms: what a session puts out at its end may still
 * ask for a step, as time stands still while that is open.
 */
const LINGER = 1

/** How long slots live, in ms of event time. */
export interface Lifetime {
  readonly idle: number
  readonly epoch: number | undefined
}

/**
 * The slots by key, and when their lives end. That depends on the times of their events alone, not on what they put
 * out, on steps or on completion: a replay that meets only the last events of a slot that has gone lets it go again, at
 * the same time or before (docs/decisions/0012).
 */
export class SlotTable {
  readonly #lifetime: Lifetime
  /** By time of the last event. */
  readonly #byLast = new SlotList()
  readonly #living = new SlotIndex(this.#byLast)
  readonly #ending = new SlotList()
  /** End of the epoch that all living slots are in. */
  #epochEnd = Number.POSITIVE_INFINITY

  constructor(lifetime: Lifetime) {
    this.#lifetime = lifetime
  }

  /** Slots that take events. */
  get size(): number {
    return this.#living.size
  }

  get(key: string): Slot | undefined {
    return this.#living.get(key)
  }

  /** Adds one whose first event has just come. No slot may be due. */
  add(slot: Slot): void {
    const { epoch } = this.#lifetime
    if (epoch !== undefined && this.#living.size === 0) this.#epochEnd = (Math.floor(slot.lastTime / epoch) + 1) * epoch
    this.#living.add(slot)
    this.#byLast.push(slot)
  }

  /** Notes that an event has come, at `time`, not before that of any other. */
  touch(slot: Slot, time: number): void {
    slot.lastTime = time
    this.#byLast.remove(slot)
    this.#byLast.push(slot)
  }

  /** Event time at which the next input ends or the next slot goes; Infinity: never. */
  get due(): number {
    const idlest = this.#byLast.first
    const ending = this.#ending.first?.endsAt ?? Number.POSITIVE_INFINITY
    if (idlest === undefined) return ending
    return Math.min(idlest.lastTime + this.#lifetime.idle, this.#epochEnd, ending)
  }

  /** A slot whose input ends at `time`; it is no longer its key’s. */
  takeEnding(time: number): Slot | undefined {
    const slot = this.#byLast.first
    if (slot === undefined || (slot.lastTime + this.#lifetime.idle > time && this.#epochEnd > time)) return undefined
    this.#byLast.remove(slot)
    slot.endsAt = time + LINGER
    this.#living.leave()
    this.#ending.push(slot)
    return slot
  }

  /** A slot whose life is over at `time`. */
  takeEnded(time: number): Slot | undefined {
    const slot = this.#ending.first
    if (slot === undefined || slot.endsAt > time) return undefined
    this.#ending.remove(slot)
    return slot
  }

  *all(): Generator<Slot> {
    yield* this.#ending
    yield* this.#byLast
  }
}
