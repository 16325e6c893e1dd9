import type { Clock } from '../time/clock.js'
import type { Connection } from './connection.js'
import { streamTaking } from './stream-taking.js'

/** How long to believe in a leader to come, in ms, when the server does not say whether there is a stream. */
const LIMIT = 15_000

/** Since when nobody takes what is published. */
export class Leaderless {
  #since: number | undefined

  /** Somebody takes it again. */
  over(): void {
    this.#since = undefined
  }

  /** Asks whether there is a stream for a subject, that has no leader now. */
  async hasStream(connection: Connection, subject: string, clock: Clock): Promise<boolean> {
    this.#since ??= clock.monotonic()
    const taking = await streamTaking(connection, subject)
    if (taking.kind === 'unknown') return this.#since === undefined || clock.monotonic() - this.#since <= LIMIT
    return taking.kind === 'stream'
  }
}
