import type { Connection } from '../broker/connection.js'

/**
 * One append at a time for each aggregate: two in one batch would not see each other (see expectLastOf). Whoever needs
 * several waits for all of them and begins in the order of asking, so that none waits for another in a circle.
 */
export class AppendTurns {
  readonly #last = new Map<string, Promise<void>>()

  /** Resolves when it is the turn of all these aggregates. @returns ends it */
  async take(keys: readonly string[]): Promise<() => void> {
    let end = (): void => undefined
    const own = new Promise<void>((resolve) => (end = resolve))
    const before = keys.flatMap((key) => this.#last.get(key) ?? [])
    for (const key of keys) this.#last.set(key, own)
    await Promise.all(before)
    return () => {
      for (const key of keys) if (this.#last.get(key) === own) this.#last.delete(key)
      end()
    }
  }
}

const turns = new WeakMap<Connection, AppendTurns>()

/** Those of every writer over this connection, which share its batches. */
export function appendTurnsOf(connection: Connection): AppendTurns {
  let known = turns.get(connection)
  if (known === undefined) turns.set(connection, (known = new AppendTurns()))
  return known
}
