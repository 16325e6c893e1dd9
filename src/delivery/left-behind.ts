import type { Stall } from './storing.js'

/** Runs that were left behind. They may hold what they like: not more of them than may be in flight. */
export class LeftBehind {
  readonly #most: number
  readonly #onStall: (stall: Stall | undefined) => void
  #count = 0

  /** @param onStall told when there are so many; undefined: it is over */
  constructor(most: number, onStall: (stall: Stall | undefined) => void) {
    this.#most = most
    this.#onStall = onStall
  }

  changed(change: 1 | -1): void {
    const before = this.#count
    this.#count += change
    if (before < this.#most && this.#count >= this.#most)
      this.#onStall({ code: 'HANDLER_STUCK', detail: `${this.#count} runs have not ended after their timeout` })
    if (before >= this.#most && this.#count < this.#most) this.#onStall(undefined)
  }
}
