import type { Connection } from '../broker/connection.js'
import { readLastOf } from '../broker/direct-read.js'
import { commitSubject } from '../broker/system-subject.js'
import { decodeCommitRecord } from '../kernel/commit-record.js'
import type { Clock } from '../time/clock.js'
import type { ActorHome } from './command-sender.js'

/** How long what was read holds good, in ms: everybody who waits shares one read. */
const GOOD_MS = 250

/**
 * How far the commands of one actor are decided, in whichever partition is the furthest. What is behind that has no
 * outcome yet, so that nobody needs to look for one.
 */
export class DecidedUpTo {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #stream: string
  readonly #filter: string
  #readAt = Number.NEGATIVE_INFINITY
  #position: Promise<number> = Promise.resolve(0)

  constructor(connection: Connection, clock: Clock, { actor, records }: Pick<ActorHome, 'actor' | 'records'>) {
    this.#connection = connection
    this.#clock = clock
    this.#stream = records.name
    this.#filter = commitSubject(records.name, `actor-${actor}`, '*')
  }

  /** Whether a command may be decided. @param sequence of the command; where it cannot be known, it may */
  async mayBe(sequence: number): Promise<boolean> {
    const now = this.#clock.monotonic()
    if (now - this.#readAt > GOOD_MS) {
      this.#readAt = now
      this.#position = this.#read().catch(() => Number.POSITIVE_INFINITY) // whoever looks is told what is wrong
    }
    return (await this.#position) >= sequence
  }

  async #read(): Promise<number> {
    const { messages, more } = await readLastOf(this.#connection, this.#stream, [this.#filter], this.#clock)
    if (messages.length === 0 || more) return Number.POSITIVE_INFINITY
    return Math.max(...messages.map(({ subject, data }) => decodeCommitRecord(data, subject).position))
  }
}

const known = new WeakMap<Connection, Map<string, DecidedUpTo>>()

/** What everybody shares who asks the same actor over this connection. */
export function decidedUpToOf(connection: Connection, clock: Clock, home: ActorHome): DecidedUpTo {
  let ofConnection = known.get(connection)
  if (ofConnection === undefined) known.set(connection, (ofConnection = new Map<string, DecidedUpTo>()))
  const name = `${home.records.name} ${home.actor}`
  let found = ofConnection.get(name)
  if (found === undefined) ofConnection.set(name, (found = new DecidedUpTo(connection, clock, home)))
  return found
}
