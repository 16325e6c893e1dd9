import type { Clock } from '../time/clock.js'

export interface FlightOptions {
  readonly clock: Clock
  /** In ms. */
  readonly lease: number
  /** Of the entry that says that this process asks. */
  readonly revision: number
  /** Writes that entry again. @returns its new revision; undefined: another one has the flight */
  readonly renew: (revision: number) => Promise<number | undefined>
}

/** A flight that is kept up, three times in a lease, until it ends: a call takes as long as it takes. */
export class AnswerFlightHold {
  readonly #options: FlightOptions
  readonly #stop: () => void
  #revision: number | undefined
  #renewing: Promise<void> = Promise.resolve()
  #ended = false

  constructor(options: FlightOptions) {
    const { clock, lease, revision } = options
    this.#options = options
    this.#revision = revision
    this.#stop = clock.every(Math.max(1, Math.floor(lease / 3)), () => {
      this.#renewing = this.#renewing.then(() => this.#renew())
    })
  }

  /** Keeps it up no longer. @returns its revision; undefined: it is lost, or was ended before */
  async end(): Promise<number | undefined> {
    this.#stop()
    if (this.#ended) return undefined
    this.#ended = true
    await this.#renewing
    return this.#revision
  }

  async #renew(): Promise<void> {
    if (this.#ended || this.#revision === undefined) return
    try {
      this.#revision = await this.#options.renew(this.#revision)
    } catch {
      // whether it was written is not known: the next one tells, or the lease ends
    }
    if (this.#revision === undefined) this.#stop()
  }
}
