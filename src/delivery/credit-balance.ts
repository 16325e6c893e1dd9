import type { HandlerSource } from './handler-source.js'
import { LaneWheel } from './lane-wheel.js'
import { shareCredit } from './share-credit.js'

/** Shares the credit of a handler among its sources anew, once for all that has changed in a turn. */
export class CreditBalance {
  readonly #total: () => number
  readonly #sources: readonly HandlerSource[]
  readonly #wheel: LaneWheel
  #scheduled = false

  /** @param total what it may have in hand now @param weights of the sources, for whose turn it is when there is not enough for all */
  constructor(total: () => number, sources: readonly HandlerSource[], weights: readonly number[]) {
    this.#total = total
    this.#sources = sources
    this.#wheel = new LaneWheel(weights)
  }

  changed(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      const loads = this.#sources.map(({ load }) => load)
      const credits = shareCredit(this.#total(), loads, (wants) => this.#wheel.next(wants))
      for (const [place, source] of this.#sources.entries()) source.grant(credits[place] ?? 1)
    })
  }
}
