interface Waiting {
  readonly urgent: boolean
  enter(): void
}

/** One at a time: who is urgent before the others, and each of the two in the order in which they came. */
export class Turnstile {
  readonly #waiting: Waiting[] = []
  #taken = false

  /** Resolves when it is the turn of who asks; `leave` ends that. @throws `signal.reason` */
  enter(urgent: boolean, signal: AbortSignal): Promise<void> {
    if (!this.#taken) {
      this.#taken = true
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(own), 1)
        reject(signal.reason as Error)
      }
      const own: Waiting = {
        urgent,
        enter: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      if (signal.aborted) return reject(signal.reason as Error)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(own)
    })
  }

  leave(): void {
    const urgent = this.#waiting.findIndex((one) => one.urgent)
    const [next] = this.#waiting.splice(Math.max(0, urgent), 1)
    this.#taken = next !== undefined
    next?.enter()
  }
}
