import type { OpenEvent } from './open-event.js'

/** Events of a unit that are at work, or wait for a place among those: not those that wait for their time. */
export class ActiveEvents {
  #size = 0

  get size(): number {
    return this.#size
  }

  begins(open: OpenEvent): void {
    if (open.active || open.done) return
    open.active = true
    this.#size += 1
  }

  ends(open: OpenEvent): void {
    if (!open.active) return
    open.active = false
    this.#size -= 1
  }
}
