import { NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { edgeStatusSubject } from '../broker/system-subject.js'
import { isFault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { EdgeStatus } from './edge-status.js'

/** What one has told, and who and when, in ms since the Unix epoch. */
export interface ToldEdge extends EdgeStatus {
  readonly owner: string
  readonly at: number
}

/** Tells through the stream how sinks and sources are, for `millrace status` anywhere. */
export class EdgeTelling {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #owner: string
  readonly #told = new Map<string, string>()

  constructor(connection: Connection, clock: Clock, owner: string) {
    this.#connection = connection
    this.#clock = clock
    this.#owner = owner
  }

  /** Where it has changed; what cannot be stored is told again the next time. */
  async tell(statuses: readonly EdgeStatus[]): Promise<void> {
    for (const status of statuses) {
      const { edge, stream, state } = status
      const text = JSON.stringify(status)
      // who stands by leaves the word to who works
      if (state === 'standby' || this.#told.get(edge) === text || this.#connection.state.kind !== 'connected') continue
      this.#told.set(edge, text)
      const told: ToldEdge = { ...status, owner: this.#owner, at: this.#clock.now() }
      const headers = [ROLLUP_SUBJECT, NEVER_EXPIRES]
      const message = { subject: edgeStatusSubject(stream, edge), headers, data: Buffer.from(JSON.stringify(told)) }
      await publishOnce(this.#connection, message).catch((error: unknown) => {
        if (!isFault(error)) throw error
        this.#told.delete(edge)
      })
    }
  }
}

/** What it has told last; undefined: nothing yet. @throws errors of the broker */
export async function readTold(connection: Connection, stream: string, edge: string): Promise<ToldEdge | undefined> {
  const last = await readLast(connection, stream, edgeStatusSubject(stream, edge))
  return last === undefined ? undefined : (JSON.parse(Buffer.from(last.data).toString()) as ToldEdge)
}
