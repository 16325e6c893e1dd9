import type { Clock } from '../time/clock.js'
import type { Connection } from './connection.js'

/** How long messages are handed over before the event loop turns, in ms. */
const BUDGET_MS = 25

/**
 * Hands over what has arrived for all readers of a connection, one after the other, and lets the event loop turn between:
 * a process that catches up in dozens of units at once must still say in time that it lives.
 */
export class HandOvers {
  readonly #clock: Clock
  #waiting: (() => void)[] = []
  #scheduled = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `handOver` once, after whatever else happens now. It should take a fraction of the budget. */
  add(handOver: () => void): void {
    this.#waiting.push(handOver)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#run())
  }

  #run(): void {
    const until = this.#clock.monotonic() + BUDGET_MS
    let done = 0
    // what is added meanwhile waits for the next turn, behind those that wait already
    const waiting = this.#waiting
    this.#waiting = []
    try {
      while (done < waiting.length && (done === 0 || this.#clock.monotonic() < until)) {
        done += 1
        waiting[done - 1]?.()
      }
    } finally {
      this.#waiting = [...waiting.slice(done), ...this.#waiting]
      this.#scheduled = this.#waiting.length > 0
      if (this.#scheduled) setImmediate(() => this.#run())
    }
  }
}

const handOvers = new WeakMap<Connection, HandOvers>()

/** What all readers of a connection share. */
export function handOversOf(connection: Connection, clock: Clock): HandOvers {
  let found = handOvers.get(connection)
  if (found === undefined) handOvers.set(connection, (found = new HandOvers(clock)))
  return found
}

/** What is handed over in the next turn of the event loop, once, however often it is asked for until then. */
export function handedOver(connection: Connection, clock: Clock, handOver: () => void): () => void {
  let waits = false
  return () => {
    if (waits) return
    waits = true
    handOversOf(connection, clock).add(() => {
      waits = false
      handOver()
    })
  }
}
