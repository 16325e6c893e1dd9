import type { Connection } from '../broker/connection.js'

/**
 * Lets one processor of a process at a time handle a message that may end the process. Nobody else handles any
 * meanwhile: when the process ends then, it is known which message has ended it.
 */
export class AttemptGate {
  #holder: object | undefined
  readonly #waiting = new Map<object, () => void>()

  /** Whether somebody else is at such a message; `goOn` is called when that is over. */
  closed(who: object, goOn: () => void): boolean {
    if (this.#holder === undefined || this.#holder === who) return false
    this.#waiting.set(who, goOn)
    return true
  }

  /** Only when nobody else holds it. */
  close(who: object): void {
    this.#holder = who
  }

  /** Nothing when somebody else holds it. */
  open(who: object): void {
    if (this.#holder !== who) return
    this.#holder = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const goOn of waiting) goOn() // one of them may close it again; the others wait then
  }
}

const gates = new WeakMap<Connection, AttemptGate>()

/** The gate of all processors that run over this connection: those of a process. */
export function attemptGateOf(connection: Connection): AttemptGate {
  let gate = gates.get(connection)
  if (gate === undefined) gates.set(connection, (gate = new AttemptGate()))
  return gate
}
