import type { SqlClient } from '../sql/sql-client.js'
import type { Clock } from '../time/clock.js'

export interface WakesOptions {
  readonly client: SqlClient
  readonly clock: Clock
  readonly channel: string
  readonly signal: AbortSignal
}

/** Wakes who waits for rows: when the database notifies, where it can, or when time is over. */
export class Wakes {
  readonly #options: WakesOptions
  #unlisten: (() => Promise<void>) | undefined
  #wake: (() => void) | undefined
  #count = 0

  constructor(options: WakesOptions) {
    this.#options = options
  }

  /** How often it was notified: what came while nobody waited is not missed. */
  get count(): number {
    return this.#count
  }

  /** Once it listens it does so; a driver renews that with its connections, and who waits does not rely on it. */
  async listen(): Promise<void> {
    const { client, channel } = this.#options
    if (this.#unlisten !== undefined || client.listen === undefined) return
    this.#unlisten = await client.listen(channel, () => {
      this.#count += 1
      this.#wake?.()
    })
  }

  /** @param since does not wait when it was notified behind that count */
  async wait(ms: number, since = this.#count): Promise<void> {
    const { clock, signal } = this.#options
    if (signal.aborted || this.#count !== since) return
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, () => this.#wake?.())
      const stop = (): void => this.#wake?.()
      signal.addEventListener('abort', stop, { once: true })
      this.#wake = () => {
        this.#wake = undefined
        cancel()
        signal.removeEventListener('abort', stop)
        resolve()
      }
    })
  }

  async stop(): Promise<void> {
    // a connection that is gone listens no more
    await this.#unlisten?.().catch(() => undefined)
  }
}
