import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { newId } from '../broker/new-id.js'
import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { createRegistry, type Registry } from '../event/registry.js'
import type { Clock } from '../time/clock.js'
import { systemClock } from '../time/system-clock.js'
import { commitSubject } from '../broker/system-subject.js'
import { AskedTogether } from './asked-together.js'
import { AggregateHeads, type AggregateHead, type HeadPlace } from './aggregate-heads.js'
import { assertAggregateType, type RecordStream } from './aggregate-subject.js'
import { appendOnce } from './append-once.js'
import { Appender, type Append, type Appended, type AppendMetadata, type ExpectedVersion } from './append.js'
import { readPersonal } from './read-personal.js'
import { readRecordsBackwards } from './read-back.js'
import { readRecordEvents } from './read-record.js'
import { nameOf, readRecords, type AggregatePlace } from './read-records.js'
import { subscribeRecords, type SubscribedRecord, type SubscribeOptions } from './record-subscription.js'

export interface EventStoreOptions {
  readonly stream: RecordStream
  /** Contracts of the events that are read; others are AGGREGATE_RECORD_INVALID. */
  readonly events: readonly EventContract[]
  readonly clock?: Clock
  /** Whether an actor of this stream may own them, which is asked before each append. Default true. */
  readonly mayHaveOwner?: boolean
}

export interface ReadOptions {
  /** Events up to this version are left out; read backwards: from this version on down. Default: the whole history. */
  readonly from?: number
}

/**
 * Histories of aggregates that no actor owns, for who decides about them elsewhere: one subject per aggregate, and
 * versions of its own, counted from 1. What an actor has decided can be read, and not be written to.
 *
 * @example
 * const store = new EventStore(connection, { stream: Orders, events: [OrderPlaced, OrderPaid] })
 * const { version } = await store.append('order', '42', 'none', [OrderPlaced({ total: 12 })])
 * await store.append('order', '42', version, [OrderPaid({})])
 */
export class EventStore {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #stream: RecordStream
  readonly #registry: Registry
  readonly #appender: Appender
  readonly #heads: AggregateHeads
  readonly #headPlace: HeadPlace
  readonly #mayHaveOwner: boolean
  readonly #owners = new AskedTogether((type) => this.#isOwned(type))

  constructor(connection: Connection, { stream, events, clock = systemClock, mayHaveOwner = true }: EventStoreOptions) {
    this.#mayHaveOwner = mayHaveOwner
    this.#connection = connection
    this.#clock = clock
    this.#stream = stream
    this.#registry = createRegistry(events)
    this.#headPlace = { connection, clock, stream }
    this.#heads = new AggregateHeads(this.#headPlace)
    this.#appender = new Appender(this.#headPlace, this.#heads)
  }

  /**
   * Stores events as the next ones of an aggregate, all or none. When the server does not answer, it is tried again for
   * 20 s, and stored once all the same.
   * @param expected version that it has to have before: the one that was read; `none`; `any`
   * @throws EXPECTED_VERSION_CONFLICT somebody else was first; `actualVersion(error)` says which version it has
   * @throws AGGREGATE_HAS_OWNER, AGGREGATE_ID_INVALID, APPEND_INVALID, EVENT_DATA_INVALID, MESSAGE_TOO_LARGE: nothing was
   *   stored
   * @throws BROKER_TIMEOUT, BROKER_UNREACHABLE the outcome is unknown: the same call with the same `metadata.id` and a
   *   version as `expected` tells, and stores nothing twice
   */
  async append(
    type: string,
    id: string,
    expected: ExpectedVersion,
    events: readonly EventDraft[],
    metadata?: AppendMetadata,
  ): Promise<Appended> {
    const append = { type, id, expected, events, metadata }
    if (this.#mayHaveOwner || events.length === 0) return this.#appended(append)
    assertAggregateType(type)
    const appendId = metadata?.id ?? newId()
    const once = await appendOnce(this.#headPlace, this.#heads, append, appendId)
    if (once.kind === 'stored') return once.appended
    return this.#appended(once.kind === 'unknown' ? { ...append, metadata: { ...metadata, id: appendId } } : append)
  }

  async #appended(append: Append): Promise<Appended> {
    const [appended] = await this.appendAll([append])
    return appended as Appended
  }

  /**
   * The same for several aggregates of the stream: all of it is stored, or nothing. At most 1,000 messages, of which an
   * aggregate takes one for each payload of the server's size.
   * @returns in the order of the appends
   */
  async appendAll(appends: readonly Append[]): Promise<readonly Appended[]> {
    const types = new Set(appends.map(({ type }) => type))
    for (const type of types) assertAggregateType(type)
    return this.#appender.store(appends, async () => {
      if (!this.#mayHaveOwner) return
      const owned = await Promise.all(
        [...types].map(async (type) => ((await this.#owners.ask(type)) ? type : undefined)),
      )
      const type = owned.find((one) => one !== undefined)
      if (type !== undefined) throw fault('AGGREGATE_HAS_OWNER', `${type} in ${this.#stream.name}`)
    })
  }

  /** Where the last record of an aggregate is, as far as was read or stored here; undefined: it was not. */
  seen(type: string, id: string): AggregateHead | undefined {
    return this.#heads.seen(type, id)
  }

  /** Takes it to be there, without reading: an append finds out whether it is. */
  assume(type: string, id: string, head: AggregateHead): void {
    this.#heads.set(type, id, head)
  }

  /** The version of an aggregate now; 0: it has no events. */
  async version(type: string, id: string): Promise<number> {
    return (await this.#heads.read(type, id)).version
  }

  /**
   * The events of an aggregate, in order, up to the last one when reading begins.
   * @throws AGGREGATE_HISTORY_GONE, AGGREGATE_VERSION_GAP, AGGREGATE_RECORD_INVALID; errors of the broker
   */
  async *read(type: string, id: string, { from = 0 }: ReadOptions = {}): AsyncGenerator<StoredEvent, void> {
    const { head: through, last } = await this.#heads.readLast(type, id)
    if (last === undefined || through.version <= from) return
    const place = this.#place(type, id)
    const latest = readRecordEvents(this.#registry, last, this.#stream.name, nameOf(place), through.version)
    // a short history is one record, which is here
    if (latest.length >= through.version - from) return yield* latest.slice(latest.length - (through.version - from))
    for await (const record of readRecords(place, { from: 1, after: from, within: true, through }))
      yield* record.events.slice(Math.max(0, from - (record.version - record.events.length)))
  }

  /** The events of an aggregate from the last one on, or from the version `from` on, down to the first. */
  async *readBackwards(
    type: string,
    id: string,
    { from = Number.POSITIVE_INFINITY }: ReadOptions = {},
  ): AsyncGenerator<StoredEvent, void> {
    const last = await this.#heads.read(type, id)
    for await (const { version, events } of readRecordsBackwards(this.#place(type, id), last)) {
      const first = version - events.length
      yield* events.slice(0, Math.max(0, from - first)).toReversed()
    }
  }

  /**
   * Records of aggregates in log order, from a position on and then as they come; it goes on by itself when the
   * connection was lost.
   */
  subscribe(options: SubscribeOptions): AsyncGenerator<SubscribedRecord, void> {
    const [connection, clock, stream, registry] = [this.#connection, this.#clock, this.#stream, this.#registry]
    return subscribeRecords({ connection, clock, stream, registry }, options)
  }

  async #isOwned(type: string): Promise<boolean> {
    const { name } = this.#stream
    const commits = commitSubject(name, `actor-${type}`, '*')
    return (await readLast(this.#connection, name, commits)) !== undefined
  }

  /** Personal values in what was read, which are sealed, in the clear; null where they are erased. @throws see readPersonal */
  readPersonal<T>(value: T): Promise<T> {
    return readPersonal(this.#connection, value)
  }

  #place(type: string, id: string): AggregatePlace {
    const [connection, clock, stream, registry] = [this.#connection, this.#clock, this.#stream, this.#registry]
    return { connection, clock, stream, registry, type, id }
  }
}
