import { hashOutput, type Said } from './slot-output.js'
import type { Slot } from './slot.js'

/** Outputs that may wait to be hashed. */
const MOST = 1_024

/**
 * The hash over what each living slot has put out; the order of slots does not matter. It is asked for once in hundreds
 * of turns, and of most slots that put something out nothing is left by then: an output waits with what it said until
 * the hash is asked for, and one whose slot has gone is never hashed.
 */
export class OutputHash {
  #hash = 0
  /** Slots with outputs that wait. Some may have gone. */
  #slots: Slot[] = []
  #waiting = 0

  get value(): number {
    this.#settleAll()
    return this.#hash >>> 0
  }

  /** Notes an output. @throws what JSON throws when its data has no JSON */
  add(slot: Slot, output: Said): void {
    const lasting = lastingCopy(output)
    if (lasting === undefined) {
      this.settle(slot)
      return this.#hashOne(slot, output)
    }
    if (slot.unhashed === undefined) {
      slot.unhashed = [lasting]
      this.#slots.push(slot)
    } else slot.unhashed.push(lasting)
    if ((this.#waiting += 1) >= MOST) this.#settleAll()
  }

  /** Brings the hash of one slot up to now. */
  settle(slot: Slot): void {
    const { unhashed } = slot
    if (unhashed === undefined) return
    slot.unhashed = undefined
    for (const output of unhashed) this.#hashOne(slot, output)
  }

  /** Takes back what the slot has put out since its hash was `hash`, when it was settled. */
  restore(slot: Slot, hash: number): void {
    slot.unhashed = undefined
    this.#hash ^= slot.hash ^ hash
    slot.hash = hash
  }

  /** The slot has gone. */
  remove(slot: Slot): void {
    this.restore(slot, 0)
  }

  #hashOne(slot: Slot, output: Said): void {
    const hash = hashOutput(slot, output)
    this.#hash ^= slot.hash ^ hash
    slot.hash = hash
  }

  #settleAll(): void {
    const slots = this.#slots
    this.#slots = []
    this.#waiting = 0
    for (const slot of slots) this.settle(slot)
  }
}

/**
 * An output that says later what it says now, for a pipeline may change its data once the turn is over. Undefined when
 * that would take more than to copy a flat object.
 */
function lastingCopy(output: Said): Said | undefined {
  const { type, key, time, causationId } = output
  if (!isPrimitive(key) || !isPrimitive(time) || !isPrimitive(causationId)) return undefined
  const data: unknown = output.data
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return undefined
  const copy: Record<string, unknown> = { ...data }
  for (const name in copy) if (!isPrimitive(copy[name])) return undefined
  return { type, key, time, causationId, data: copy }
}

function isPrimitive(value: unknown): boolean {
  const kind = typeof value
  return kind === 'string' || kind === 'number' || kind === 'boolean' || kind === 'undefined'
}
