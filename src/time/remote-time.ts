/** One answer of the other machine. Times of this machine are those of Clock.monotonic. */
export interface RemoteReading {
  readonly sent: number
  readonly received: number
  /** What the clock of the other machine said in between, in ms since the Unix epoch. */
  readonly time: number
}

/**
 * What the clock of another machine says now, by its answers: between two of them it goes on with the monotonic clock of
 * this one, whose time of day may be anything. It is never ahead of the other clock by more than an answer takes, and
 * after the first answer and after each that shows that the two have drifted apart not at all.
 */
export class RemoteTime {
  #difference: number | undefined

  /** Whether there was an answer yet. */
  get known(): boolean {
    return this.#difference !== undefined
  }

  /** In ms since the Unix epoch. -Infinity before the first answer. @param monotonic now, of this machine */
  now(monotonic: number): number {
    return this.#difference === undefined ? Number.NEGATIVE_INFINITY : monotonic + this.#difference
  }

  /** @returns whether the time that was told until now was wrong */
  read({ sent, received, time }: RemoteReading): boolean {
    // when the answer came, it was at least the time that it tells, and at most that and how long the question took
    const told = this.now(received)
    if (told >= time && told <= time + (received - sent)) return false
    this.#difference = time - received
    return true
  }
}
