/** How far a replay is. */
export interface Progress {
  /** Messages that the sink has taken, without those it rejected. */
  readonly delivered: number
  readonly rejected: number
  /** How many there are in all; undefined when the replay follows the stream. */
  readonly of: number | undefined
  /** Messages per second over the last seconds. */
  readonly rate: number
  /** Sequence of the last message that was taken; undefined before the first. */
  readonly sequence: number | undefined
}

const WINDOW_MS = 5_000

/** Messages per second over the last five seconds, from the counts it is shown. */
export class RateMeter {
  readonly #samples: { readonly at: number; readonly count: number }[] = []

  /**
   * @param at monotonic ms
   * @param count messages since the beginning
   */
  rate(at: number, count: number): number {
    this.#samples.push({ at, count })
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) >= WINDOW_MS) this.#samples.shift()
    const oldest = this.#samples[0]
    if (oldest === undefined || at <= oldest.at) return 0
    return ((count - oldest.count) * 1_000) / (at - oldest.at)
  }
}
