import type { Connection } from '../broker/connection.js'
import type { Clock } from '../time/clock.js'

/** How long a suspect waits for one of another handler, in ms. One that stands still must not hold up the others for ever. */
const LONGEST_WAIT_MS = 5_000

/**
 * Has the suspects of a process begun one after the other, of whatever handler: when two are at work as it ends, both have
 * a mark, and after a start all of them begin at the same moment.
 */
export class Solo {
  #whose: object | undefined
  readonly #waiting: (() => void)[] = []

  /** Resolves when it is this one’s turn. To be called by each with an object of its own. @throws `signal.reason` */
  async take(whose: object, clock: Clock, signal: AbortSignal): Promise<void> {
    const end = clock.monotonic() + LONGEST_WAIT_MS
    while (this.#whose !== undefined && this.#whose !== whose && clock.monotonic() < end) {
      signal.throwIfAborted()
      await new Promise<void>((resolve) => {
        // a timer may be a little early, and the place that was given another one's
        const stop = clock.after(Math.max(1, end - clock.monotonic()), resolve)
        this.#waiting.push(() => {
          stop()
          resolve()
        })
      })
    }
    this.#whose = whose
  }

  /** The next one’s turn, when it was this one’s. */
  give(whose: object): void {
    if (this.#whose !== whose) return
    this.#whose = undefined
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

const all = new WeakMap<Connection, Solo>()

/** That of a process: its handlers share a connection. */
export function soloOf(connection: Connection): Solo {
  const known = all.get(connection) ?? new Solo()
  all.set(connection, known)
  return known
}
