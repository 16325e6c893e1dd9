// UnitFeed
//
// Hands over what one unit has to read, in log order, also where the number of partitions of the stream has changed: up
// to the change by key from all partitions, after it its own partition, as the segments of its plan say.
//
//   Feed -> UnitFeed:    messages of one segment
//   UnitFeed -> taker:   those of the unit, as a feed would
//
// Invariants (tests cite them):
//   RP1  Every event of the stream comes to one unit, whatever numbers of partitions the stream has had.
//   RP2  The events of a key come in the order in which they were stored, across every change.
import { asFault, outcomeUnknown } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import type { FeedOptions } from '../broker/feed-options.js'
import { Feed } from '../broker/feed.js'
import { nextSequence } from '../broker/next-message.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { fault } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import { asStored } from './as-stored.js'
import { backFilters, inputFilters } from './input-filters.js'
import { ownPart } from './own-part.js'
import { unitId, WHOLE, type Processor } from './processor.js'
import { BY_SUBJECT, hasHistory, readPlan, type ReadPlan, type Segment } from './read-plan.js'

type Handlers = Pick<FeedOptions, 'onMessages' | 'onFailure' | 'onCaughtUp' | 'mayGoOn'>

export interface UnitFeedOptions extends Handlers, Pick<FeedOptions, 'credit' | 'clock'> {
  readonly processor: Processor
  readonly partition: string
  readonly registry: Registry
  /** First sequence. */
  readonly from: number
  /** Whether it leaves the durable consumer of the unit on the server, once it reads its own partition to the end. */
  readonly durable: boolean
  /** Whether also what comes back from the unit’s park. Default false. */
  readonly redriven?: boolean
  /** Whether also what comes back of the unit’s dead letters. Default false. */
  readonly letters?: boolean
  /** Default: as the stream says. */
  readonly plan?: ReadPlan | undefined
}

const AGAIN_MS = 200

export class UnitFeed {
  readonly #connection: Connection
  readonly #options: UnitFeedOptions
  #plan: ReadPlan | undefined
  #feed: Feed | undefined
  /** Of the segment that is read; undefined between two of them. */
  #segment: Segment | undefined
  /** Sequence of the last message that was handed over or passed by. */
  #last: number
  /** Messages of segments with an end that are handed over and not released. */
  #held = 0
  #looking: Segment | undefined
  #state: 'reading' | 'ended' | 'stopped' = 'reading'

  constructor(connection: Connection, options: UnitFeedOptions) {
    const { processor, partition, plan } = options
    this.#connection = connection
    this.#options = options
    this.#last = options.from - 1
    this.#plan = plan ?? (hasHistory(processor, partition) ? undefined : BY_SUBJECT)
    const [first] = this.#plan?.segments ?? []
    if (first?.until === Number.POSITIVE_INFINITY) this.#openLast(first)
    else queueMicrotask(() => void this.#next()) // nothing is handed over before the taker has the feed
  }

  /** Whether everything that there is for the unit was handed over, as far as can be known now. */
  get caughtUp(): boolean {
    return this.#state === 'ended' || (this.#isLast && this.#feed?.caughtUp === true)
  }

  release(count: number): void {
    if (this.#held === 0) return this.#feed?.release(count)
    this.#held -= count
    this.#feed?.release(count)
    if (this.#held === 0 && this.#segment === undefined) void this.#next()
  }

  acknowledge(messages: readonly StoredMessage[]): void {
    if (this.#isLast) this.#feed?.acknowledge(messages)
  }

  stop(): void {
    this.#state = 'stopped'
    this.#feed?.stop()
  }

  get #isLast(): boolean {
    return this.#segment?.until === Number.POSITIVE_INFINITY
  }

  #stopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Opens the segment that comes after what was read, and has something for the unit. */
  async #next(): Promise<void> {
    try {
      const { processor, partition } = this.#options
      const plan = (this.#plan ??= await this.#patiently(() => readPlan(this.#connection, processor, partition)))
      for (;;) {
        const segment = plan.segments.find(({ until }) => until > this.#last)
        if (this.#stopped()) return
        if (segment === undefined) return this.#finish(plan)
        if (segment.until === Number.POSITIVE_INFINITY) return this.#openLast(segment)
        const filters = this.#filtersOf(segment)
        const empty = await this.#isRead(segment, filters)
        if (this.#stopped()) return
        if (!empty) return this.#openBounded(segment, filters)
        this.#last = segment.until
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #finish({ onEnd }: ReadPlan): void {
    this.#state = 'ended'
    this.#options.onCaughtUp?.()
    onEnd?.()
  }

  #openLast(segment: Segment): void {
    const { processor, partition, durable, letters, onMessages, onCaughtUp } = this.#options
    this.#segment = segment
    this.#feed = this.#open(inputFilters(processor, partition, this.#options), {
      ...(durable ? { durable: unitId(processor, partition), acks: 'through' as const } : {}),
      onMessages:
        letters === true ? (messages) => onMessages(messages.map((one) => asStored(processor, one))) : onMessages,
      ...(onCaughtUp === undefined ? {} : { onCaughtUp }),
    })
  }

  #filtersOf({ by }: Segment): readonly string[] {
    const { processor, partition } = this.#options
    if (by === 'subject') return inputFilters(processor, partition, this.#options)
    return [...inputFilters(processor, WHOLE), ...backFilters(processor, partition, this.#options)]
  }

  #openBounded(segment: Segment, filters: readonly string[]): void {
    this.#segment = segment
    this.#feed = this.#open(filters, {
      onMessages: (messages) => this.#take(segment, messages),
      onCaughtUp: () => void this.#mayEnd(segment, filters).catch((error: unknown) => this.#fail(error)),
    })
  }

  #open(filters: readonly string[], more: Partial<FeedOptions> & Pick<FeedOptions, 'onMessages'>): Feed {
    const { processor, credit, clock, mayGoOn } = this.#options
    return new Feed(this.#connection, {
      stream: processor.from.stream.name,
      filters,
      start: { kind: 'sequence', sequence: this.#last + 1 },
      ...(credit === undefined ? {} : { credit }),
      ...(mayGoOn === undefined ? {} : { mayGoOn }),
      clock,
      onFailure: (error) => this.#fail(error),
      ...more,
    })
  }

  #take(segment: Segment, messages: readonly StoredMessage[]): void {
    if (this.#segment !== segment) return
    const beyond = messages.findIndex(({ sequence }) => sequence > segment.until)
    const within = beyond < 0 ? messages : messages.slice(0, beyond)
    const part = segment.by === 'subject' ? within : within.flatMap((message) => this.#own(message) ?? [])
    const own =
      this.#options.letters === true ? part.map((message) => asStored(this.#options.processor, message)) : part
    this.#last = within.at(-1)?.sequence ?? this.#last
    this.#held += own.length
    if (messages.length > own.length) this.#feed?.release(messages.length - own.length)
    if (own.length > 0) this.#options.onMessages(own)
    if (beyond >= 0) this.#end(segment)
  }

  #own(message: StoredMessage): StoredMessage | undefined {
    const { processor, partition, registry } = this.#options
    const { stream } = processor.from
    const ours = message.subject.startsWith(`${stream.root}.`)
    return ours ? ownPart({ registry, stream, partition: Number(partition) }, message) : message // one that is redriven
  }

  /**
   * The feed has nothing more. If there is, it will hand it over and come here again, unless that is deleted before: so
   * the stream is looked at until one of both is so.
   */
  async #mayEnd(segment: Segment, filters: readonly string[]): Promise<void> {
    if (this.#looking === segment) return
    this.#looking = segment
    try {
      while (this.#segment === segment && this.#feed?.caughtUp === true) {
        if (await this.#isRead(segment, filters)) this.#end(segment)
        else await this.#options.clock.sleep(AGAIN_MS)
      }
    } finally {
      if (this.#looking === segment) this.#looking = undefined
    }
  }

  /** Whether nothing of a segment is left to be read, as the stream’s leader says once it has come to its end. */
  async #isRead(segment: Segment, filters: readonly string[]): Promise<boolean> {
    const { name } = this.#options.processor.from.stream
    await this.#patiently(() => this.#reaches(segment.until))
    for (const filter of filters) {
      const next = await this.#patiently(() => nextSequence(this.#connection, name, filter, this.#last + 1))
      if (next !== undefined && next <= segment.until) return false
    }
    return true
  }

  #end(segment: Segment): void {
    if (this.#segment !== segment || this.#stopped()) return
    this.#segment = undefined
    this.#feed?.stop()
    this.#feed = undefined
    this.#last = Math.max(this.#last, segment.until)
    if (this.#held === 0) void this.#next()
  }

  /** @throws BROKER_NOT_READY a leader that was just elected may not know the last messages yet */
  async #reaches(sequence: number): Promise<void> {
    const { name } = this.#options.processor.from.stream
    const { last } = await readStreamIdentity(this.#connection, name)
    if (last < sequence) throw fault('BROKER_NOT_READY', `${name} ends at sequence ${last}, it had come to ${sequence}`)
  }

  /** Tries again until the outcome is known. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        const known = asFault(error, 'reading a unit')
        if (!outcomeUnknown(known) || this.#stopped() || this.#connection.state.kind === 'closed') throw known
        await this.#options.clock.sleep(AGAIN_MS)
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped()) return
    this.stop()
    this.#options.onFailure(asFault(error, 'reading a unit'))
  }
}
