/** How far a replay is. */
export interface Progress {
  /** Events that the sink has taken, without what it rejected. */
  readonly delivered: number
  readonly rejected: number
  /** Messages of which the sink has taken everything. */
  readonly messages: number
  /** How many messages there are in all; undefined when the replay follows the stream. */
  readonly of: number | undefined
  /** Events per second over the last seconds. */
  readonly rate: number
  /** Sequence of the last message of which something was taken; undefined before the first. */
  readonly sequence: number | undefined
  /** Where the rest begins, and how many events there were taken already: see ReplayResult. */
  readonly next: number
  readonly repeated: number
}

const WINDOW_MS = 5_000

/** Events per second over the last five seconds, from the counts it is shown. */
export class RateMeter {
  readonly #samples: { readonly at: number; readonly count: number }[] = []

  /**
   * @param at monotonic ms
   * @param count events since the beginning
   */
  rate(at: number, count: number): number {
    this.#samples.push({ at, count })
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) >= WINDOW_MS) this.#samples.shift()
    const oldest = this.#samples[0]
    if (oldest === undefined || at <= oldest.at) return 0
    return ((count - oldest.count) * 1_000) / (at - oldest.at)
  }
}
