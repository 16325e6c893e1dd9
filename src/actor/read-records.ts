import type { Connection } from '../broker/connection.js'
import { readDirect } from '../broker/direct-read.js'
import { nextMessage } from '../broker/next-message.js'
import { fault } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { Clock } from '../time/clock.js'
import { storedRecordSubject, type RecordStream } from './aggregate-subject.js'
import { readRecord } from './read-record.js'
import { fromFound, type AggregateRecord, type RecordSource } from './record.js'

/** An aggregate, and how it is read. */
export interface AggregatePlace {
  readonly connection: Connection
  readonly clock: Clock
  readonly stream: RecordStream
  readonly type: string
  readonly id: string
  /** Contracts of its events. */
  readonly registry: Registry
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

/** Messages that are asked for at once. */
const AT_ONCE = 512

/** What an aggregate is called in errors and to people. */
export function nameOf({ type, id }: Pick<AggregatePlace, 'type' | 'id'>): string {
  return `${type} ${JSON.stringify(id)}`
}

/**
 * Reads records in their order. They are asked for from whichever server answers, many at a time, and checked: versions
 * follow one another up to the last record, or the stream's leader is asked for what is missing.
 * @throws AGGREGATE_HISTORY_GONE what lies before the first of them is not there · AGGREGATE_VERSION_GAP ·
 *   AGGREGATE_RECORD_INVALID · errors of the broker
 */
export async function* readRecords(place: AggregatePlace, range: RecordRange): AsyncGenerator<AggregateRecord> {
  const { connection, clock, stream } = place
  const subject = storedRecordSubject(stream, place.type, place.id)
  const chain = new VersionChain(place, range.after, range.within === true)
  const ask = (from: number): ReturnType<typeof readDirect> => {
    const answer = readDirect(connection, stream.name, { subject, from, most: AT_ONCE }, clock)
    answer.catch(() => undefined) // whoever goes on reading hears of it; nobody else minds
    return answer
  }
  const { through } = range
  let { from } = range
  let next = from > through.sequence ? undefined : ask(from)
  while (next !== undefined) {
    const { messages, more }: Awaited<ReturnType<typeof readDirect>> = await next
    const last = messages.at(-1)?.sequence
    // the next ones are on their way while these are read
    next = last !== undefined && more && last < through.sequence ? ask(last + 1) : undefined
    for (const message of messages) {
      if (message.sequence > through.sequence) break
      const record = chain.take(message)
      if (record !== undefined) yield record
      from = message.sequence + 1
    }
    if (next !== undefined || from > through.sequence) continue
    // the server that answered may be behind, which the leader is not
    const found = await nextMessage(connection, stream.name, subject, from)
    if (found === undefined || found.sequence > through.sequence) break
    const record = chain.take(fromFound(found))
    if (record !== undefined) yield record
    from = found.sequence + 1
    if (from <= through.sequence) next = ask(from)
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
