import type { Connection } from '../broker/connection.js'
import type { LastMessage } from '../broker/last-message.js'
import { readDirect } from '../broker/direct-read.js'
import { messagesFrom } from '../broker/messages-from.js'
import { fault } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { Clock } from '../time/clock.js'
import { recordSubjects, type RecordStream } from './aggregate-subject.js'
import { readRecord } from './read-record.js'
import { fromDelivered, type AggregateRecord, type RecordSource } from './record.js'

/** An aggregate, and how it is read. */
export interface AggregatePlace {
  readonly connection: Connection
  readonly clock: Clock
  readonly stream: RecordStream
  readonly type: string
  readonly id: string
  /** Contracts of its events. */
  readonly registry: Registry
  /** Reads the last message of a subject, as the stream’s leader has it at least. Default: asks the leader. */
  readonly lastOf?: ((subject: string) => Promise<LastMessage | undefined>) | undefined
}

export interface RecordRange {
  /** Sequence from which records are read. */
  readonly from: number
  /** Version of the aggregate there. What lies before it is passed over. */
  readonly after: number
  /** Whether the first record may have events before it too. Default false. */
  readonly within?: boolean
  /** The last record, as the stream's leader has it. */
  readonly through: { readonly sequence: number; readonly version: number }
}

/** Messages that are asked for at once. A long history costs less with a consumer, a short one without. */
const AT_ONCE = 64

/** What an aggregate is called in errors and to people. */
export function nameOf({ type, id }: Pick<AggregatePlace, 'type' | 'id'>): string {
  return `${type} ${JSON.stringify(id)}`
}

/**
 * Reads records in their order. The first ones are asked for from whichever server answers, which may be behind: what it
 * lacks, and what is more, comes from the stream’s leader. Versions follow one another up to the last record.
 * @throws AGGREGATE_HISTORY_GONE what lies before the first of them is not there · AGGREGATE_VERSION_GAP ·
 *   AGGREGATE_RECORD_INVALID · errors of the broker
 */
export async function* readRecords(place: AggregatePlace, range: RecordRange): AsyncGenerator<AggregateRecord> {
  const { connection, clock, stream } = place
  const { through } = range
  const subject = recordSubjects(stream, place.type, place.id)
  const chain = new VersionChain(place, range.after, range.within === true)
  let { from } = range
  if (from <= through.sequence) {
    const { messages } = await readDirect(connection, stream.name, { subject, from, most: AT_ONCE }, clock)
    for (const message of messages) {
      if (message.sequence > through.sequence) break
      const record = chain.take(message)
      if (record !== undefined) yield record
      from = message.sequence + 1
    }
  }
  if (from <= through.sequence) {
    const rest = { stream: stream.name, filter: subject, from, clock, untilCaughtUp: true }
    for await (const message of messagesFrom(connection, rest)) {
      if (message.sequence > through.sequence) break
      const record = chain.take(fromDelivered(message))
      if (record !== undefined) yield record
      if (message.sequence === through.sequence) break
    }
  }
  chain.end(through.version)
}

/** Checks that versions follow one another. */
class VersionChain {
  readonly #place: AggregatePlace
  readonly #where: string
  #version: number
  #began = false
  readonly #within: boolean

  constructor(place: AggregatePlace, version: number, within: boolean) {
    this.#within = within
    this.#place = place
    this.#where = nameOf(place)
    this.#version = version
  }

  /** @returns undefined: it lies before what is wanted */
  take(source: RecordSource): AggregateRecord | undefined {
    const { registry, stream } = this.#place
    const record = readRecord(registry, source, stream.name, this.#where)
    const before = record.version - record.events.length
    if (!this.#began && isKnown(record, this.#version)) return undefined
    if (!this.#began && before > this.#version)
      throw fault(
        'AGGREGATE_HISTORY_GONE',
        `${this.#where}: version ${this.#version + 1} to ${before}; the first record is at sequence ${record.sequence}`,
      )
    const straddles = this.#within && !this.#began && before < this.#version
    if (before !== this.#version && !straddles)
      throw fault(
        'AGGREGATE_VERSION_GAP',
        `${this.#where}: version ${before + 1} at sequence ${record.sequence} after version ${this.#version}`,
      )
    this.#began = true
    this.#version = record.version
    return record
  }

  end(version: number): void {
    if (this.#version === version) return
    const code = this.#began ? 'AGGREGATE_VERSION_GAP' : 'AGGREGATE_HISTORY_GONE'
    throw fault(code, `${this.#where}: it ends at version ${this.#version}, its last record has version ${version}`)
  }
}

/** Whether a record tells nothing new of an aggregate that has come to the version; a rejection at it does. */
function isKnown({ version, events }: AggregateRecord, known: number): boolean {
  return version < known || (version === known && events.length > 0)
}
