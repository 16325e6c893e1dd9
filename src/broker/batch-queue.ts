// BatchQueue
//
// Stores what many writers of one process ask for, several groups of messages in one atomic batch: a file stream with
// one replica takes a few hundred batches a second, whatever they hold.
//
//   writer -> BatchQueue:   publish(messages): one group, which is stored as a whole or not at all
//   BatchQueue -> stream:   [group, group, …] as one batch while the groups fit; while every group waiting is a single
//                           message, plain publishes side by side
//   BatchQueue -> writer:   the stream sequence of the group's last message, or why it was not stored
//
// A group has its expectations in its own headers (expectLastSequence); groups that are in the queue together write
// and expect different subjects.
//
// Invariants (tests cite them):
//   Q1  A group is stored as a whole or not at all, its messages contiguous and in order.
//   Q2  What the server refuses for one group keeps no other from being stored.
//   Q3  When the outcome of a batch is not known, each of its groups is told so; none is sent a second time.
//   Q4  At a depth of one, groups are stored in the order in which they were asked for.
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { ErrorCode } from '../error/catalogue.js'
import type { WireMessage } from '../event/wire.js'
import { asFault } from './api-error.js'
import { BATCH_LIMIT, publishBatch } from './batch.js'
import type { Connection } from './connection.js'
import { publishOnce } from './publish-once.js'

export interface BatchQueueOptions {
  /** Batches on their way at a time; beside the first only full ones. More than one gives up Q4. Default 1. */
  readonly depth?: number
  /** Most payload in a batch of several groups, in bytes. Default 8 MiB. */
  readonly mostBytes?: number
  /** How long to wait for the receipt of a batch, in ms. Default 5,000. */
  readonly timeoutMs?: number
}

interface Group {
  readonly messages: readonly WireMessage[]
  readonly bytes: number
  readonly resolve: (last: number) => void
  readonly reject: (error: MillraceError) => void
}

/** Refusals after which nothing is stored, and for which one group may be to blame. */
const MAY_BE_ONE: ReadonlySet<ErrorCode> = new Set([
  'SEQUENCE_CONFLICT',
  'BATCH_REFUSED',
  'MESSAGE_TOO_LARGE',
  'MESSAGE_INVALID',
  'BROKER_PERMISSION_DENIED',
  'STREAM_FULL', // also said of one subject, or of a group that is larger than what is left
])

/** Messages from which on a batch is full: little more would fit, and it costs the server far more than a batch does. */
const FULL = 900
/** The server has the next full batch at hand when it is done with one, however busy this process is then. */
const SHARED_DEPTH = 2

/** The groups of one connection for one stream. Writers share it by batchQueueOf. */
export class BatchQueue {
  readonly #connection: Connection
  readonly #depth: number
  readonly #mostBytes: number
  readonly #timeoutMs: number
  #waiting: Group[] = []
  #gathering: (() => void)[] = []
  #inFlight = 0
  #scheduled = false

  constructor(connection: Connection, options: BatchQueueOptions = {}) {
    this.#connection = connection
    this.#depth = options.depth ?? 1
    this.#mostBytes = options.mostBytes ?? 8 * 1024 * 1024
    this.#timeoutMs = options.timeoutMs ?? 5_000
  }

  /**
   * Stores one group of 1 to 1,000 messages for the stream, as a whole or not at all.
   * @returns the stream sequence of its last message; the others have the ones before it
   * @throws SEQUENCE_CONFLICT, BATCH_REFUSED, MESSAGE_TOO_LARGE, MESSAGE_INVALID, BROKER_PERMISSION_DENIED, STREAM_FULL:
   *   this group was refused, and nothing of it is stored
   * @throws BROKER_TIMEOUT, BROKER_UNREACHABLE, BROKER_NOT_READY, NO_STREAM_FOR_SUBJECT the outcome is unknown: read
   *   back before repeating
   */
  publish(messages: readonly WireMessage[]): Promise<number> {
    return new Promise((resolve, reject) => {
      if (messages.length === 0 || messages.length > BATCH_LIMIT)
        return reject(fault('BATCH_REFUSED', `a group of ${messages.length} messages, not 1 to ${BATCH_LIMIT}`))
      let bytes = 0
      for (const { data } of messages) bytes += data.length
      this.#waiting.push({ messages, bytes, resolve, reject })
      this.#schedule()
    })
  }

  /**
   * Resolves when what is asked for then goes on its way at once, or with what waits already: a writer that makes its
   * group no sooner has in it what came while others were stored.
   * @param full whether no more would fit into its group anyway. Default false
   */
  ready(full = false): Promise<void> {
    if (this.#inFlight === 0 || (full && this.#inFlight < this.#depth)) return Promise.resolve()
    return new Promise((resolve) => this.#gathering.push(resolve))
  }

  /** After whatever else happens now: writers whose timers fire together share a batch. */
  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#inFlight >= this.#depth) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#fill()
    })
  }

  /** One batch is on its way whatever it holds; beside it only full ones, for a batch costs the same whatever it holds. */
  #fill(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#depth) {
      const { count, full } = this.#fitting()
      if (this.#inFlight > 0 && !full) return
      void this.#send(this.#waiting.splice(0, count))
    }
  }

  /** How many of the first groups fit into one batch, and whether it is full then. */
  #fitting(): { readonly count: number; readonly full: boolean } {
    let [messages, bytes] = [0, 0]
    for (const [at, group] of this.#waiting.entries()) {
      messages += group.messages.length
      bytes += group.bytes
      if (at > 0 && (messages > BATCH_LIMIT || bytes > this.#mostBytes)) return { count: at, full: true }
    }
    return { count: this.#waiting.length, full: messages >= FULL }
  }

  async #send(groups: readonly Group[]): Promise<void> {
    this.#inFlight += 1
    // 16 plain publishes take the server a millisecond, a batch of 16 takes it four
    if (groups.length === 1 || groups.every(({ messages }) => messages.length === 1))
      await Promise.all(groups.map((group) => this.#alone(group)))
    else await this.#together(groups)
    this.#inFlight -= 1
    const gathering = this.#gathering
    this.#gathering = []
    for (const go of gathering) go() // they ask before the next batch is filled
    this.#schedule()
  }

  async #together(groups: readonly Group[]): Promise<void> {
    try {
      const messages = groups.flatMap((group) => group.messages)
      const { last, count } = await publishBatch(this.#connection, messages, this.#timeoutMs)
      let sequence = last - count
      for (const group of groups) group.resolve((sequence += group.messages.length))
    } catch (error) {
      const known = asFault(error, `storing ${groups.length} groups`)
      if (MAY_BE_ONE.has(known.code)) return this.#oneByOne(groups)
      for (const group of groups) group.reject(known) // Q3
    }
  }

  /** Q2. When the server stops answering, those behind are told at once: waiting it out for each would take minutes. */
  async #oneByOne(groups: readonly Group[]): Promise<void> {
    let away: MillraceError | undefined
    for (const group of groups) {
      if (away !== undefined) group.reject(away)
      else {
        const error = await this.#alone(group)
        if (error !== undefined && !MAY_BE_ONE.has(error.code)) away = error
      }
    }
  }

  /** Stores one group and tells its writer. @returns why it was not stored */
  async #alone({ messages, resolve, reject }: Group): Promise<MillraceError | undefined> {
    const [first, second] = messages
    try {
      // with nothing to be atomic with, a plain publish is ten times quicker
      if (first !== undefined && second === undefined)
        resolve((await publishOnce(this.#connection, first, this.#timeoutMs)).sequence)
      else resolve((await publishBatch(this.#connection, messages, this.#timeoutMs)).last)
      return undefined
    } catch (error) {
      const known = asFault(error, `storing ${messages.length} messages`)
      reject(known)
      return known
    }
  }
}

const queues = new WeakMap<Connection, Map<string, BatchQueue>>()

/** The queue that every writer of this process to the stream shares over this connection. */
export function batchQueueOf(connection: Connection, stream: string): BatchQueue {
  let ofConnection = queues.get(connection)
  if (ofConnection === undefined) queues.set(connection, (ofConnection = new Map<string, BatchQueue>()))
  let queue = ofConnection.get(stream)
  if (queue === undefined) ofConnection.set(stream, (queue = new BatchQueue(connection, { depth: SHARED_DEPTH })))
  return queue
}
