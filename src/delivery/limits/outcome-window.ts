/** The last runs of a process that say something about a dependency: at most so many, and none from long ago. */
export class OutcomeWindow {
  readonly #of: number
  readonly #within: number
  readonly #at: Float64Array
  readonly #failed: Uint8Array
  #next = 0
  #count = 0
  #failures = 0

  /** @param of how many @param within how long ago, in ms */
  constructor(of: number, within: number) {
    this.#of = of
    this.#within = within
    this.#at = new Float64Array(of)
    this.#failed = new Uint8Array(of)
  }

  add(failed: boolean, now: number): void {
    const place = this.#next
    if (this.#count === this.#of) this.#failures -= this.#failed[place] ?? 0
    else this.#count += 1
    this.#at[place] = now
    this.#failed[place] = failed ? 1 : 0
    this.#failures += failed ? 1 : 0
    this.#next = (place + 1) % this.#of
  }

  /** How many of them failed; undefined: there are not enough to say anything. */
  failures(now: number): number | undefined {
    // when it is full, the oldest is the one that the next will take the place of
    if (this.#count < this.#of || now - (this.#at[this.#next] ?? 0) > this.#within) return undefined
    return this.#failures
  }

  clear(): void {
    this.#count = this.#failures = this.#next = 0
  }
}
