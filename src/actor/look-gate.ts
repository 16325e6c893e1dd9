import type { Connection } from '../broker/connection.js'

/** Looks over one connection at a time. A look is two to four reads. */
const AT_ONCE = 4

/**
 * Lets a few requests at a time look into the log for their outcomes. Thousands of them that wait for an owner which is
 * behind would else all read at once, and keep from the server what the owner needs to catch up.
 */
export class LookGate {
  readonly #most: number
  #open = 0
  /** Of those that have no time for another look; they go first. */
  readonly #last = new Set<() => void>()
  readonly #others = new Set<() => void>()

  constructor(most = AT_ONCE) {
    this.#most = most
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.#last.size + this.#others.size
  }

  /**
   * Runs a look when it is its turn.
   * @param last whether there is no time for another one
   * @throws what the look throws, and the reason of the signal
   */
  async pass<Result>(look: () => Promise<Result>, last: boolean, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted()
    if (this.#open < this.#most) this.#open += 1
    else await this.#turn(last ? this.#last : this.#others, signal)
    try {
      return await look()
    } finally {
      const [next] = this.#last.size > 0 ? this.#last : this.#others
      if (next === undefined) this.#open -= 1
      else next() // in whose place it stays open
    }
  }

  #turn(among: Set<() => void>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        among.delete(go)
        reject(signal.reason)
      }
      const go = (): void => {
        among.delete(go)
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      among.add(go)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}

const gates = new WeakMap<Connection, LookGate>()

/** The gate that everybody shares who asks over this connection. */
export function lookGateOf(connection: Connection): LookGate {
  let gate = gates.get(connection)
  if (gate === undefined) gates.set(connection, (gate = new LookGate()))
  return gate
}
