import type { Slot, SlotList } from './slot.js'

/** Slots that have gone and may be in the map beside as many as live, before it is made anew. */
const LEAST = 64

/**
 * The living slots by key. One that has gone stays in the map until that is made anew, at O(1) for a slot on average:
 * taking it out costs as much as putting it in, and a map that changes for ever keeps alive what has gone
 * (RenewedMap says why).
 */
export class SlotIndex {
  readonly #living: SlotList
  #slots = new Map<string, Slot>()
  #size = 0

  /** @param living the living ones, in a row; one has left it when `leave` is called */
  constructor(living: SlotList) {
    this.#living = living
  }

  /** Living slots. */
  get size(): number {
    return this.#size
  }

  get(key: string): Slot | undefined {
    const slot = this.#slots.get(key)
    return slot === undefined || slot.hasEnded ? undefined : slot
  }

  add(slot: Slot): void {
    this.#size += 1
    this.#slots.set(slot.key, slot)
  }

  /** A slot has ended. */
  leave(): void {
    this.#size -= 1
    if (this.#slots.size > 2 * this.#size + LEAST) this.#renew()
  }

  #renew(): void {
    this.#slots = new Map()
    for (let slot = this.#living.first; slot !== undefined; slot = slot.after) this.#slots.set(slot.key, slot)
  }
}
