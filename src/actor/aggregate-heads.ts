import type { Connection } from '../broker/connection.js'
import { readLastUpTo } from '../broker/direct-read.js'
import { readLast, type LastMessage } from '../broker/last-message.js'
import { nextMessage } from '../broker/next-message.js'
import type { Clock } from '../time/clock.js'
import { recordSubjects, type RecordStream } from './aggregate-subject.js'
import { readRecordHead } from './read-record.js'
import { nameOf } from './read-records.js'
import { fromFound, type RecordHead } from './record.js'

export interface HeadPlace {
  readonly connection: Connection
  readonly clock: Clock
  readonly stream: RecordStream
}

/** How far an aggregate is; both 0: it has no record. */
export interface AggregateHead {
  readonly version: number
  /** Of its last record: what the next one expects. Never shown as a version. */
  readonly sequence: number
}

/** A record as whole, and whose commands it has. */
export interface WholeRecord extends AggregateHead {
  readonly commands: readonly string[]
}

const MOST_KNOWN = 10_000
/** How many records back an append is looked for. */
const BACK = 64

/** How far aggregates are, as far as this process knows: whoever relies on it is refused when it is no longer true. */
export class AggregateHeads {
  readonly #place: HeadPlace
  readonly #known = new Map<string, AggregateHead>()

  constructor(place: HeadPlace) {
    this.#place = place
  }

  /** What was seen last; undefined: nothing. */
  seen(type: string, id: string): AggregateHead | undefined {
    return this.#known.get(this.#subject(type, id))
  }

  /** What was seen last, or read now. */
  async known(type: string, id: string): Promise<AggregateHead> {
    return this.seen(type, id) ?? (await this.read(type, id))
  }

  set(type: string, id: string, { version, sequence }: AggregateHead): void {
    const subject = this.#subject(type, id)
    this.#known.delete(subject)
    this.#known.set(subject, { version, sequence })
    if (this.#known.size <= MOST_KNOWN) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      return
    }
  }

  /** Asks the stream's leader. */
  async read(type: string, id: string): Promise<AggregateHead> {
    return (await this.readLast(type, id)).head
  }

  /** Asks the stream's leader. @returns with its last record, when there is one */
  async readLast(
    type: string,
    id: string,
  ): Promise<{ readonly head: AggregateHead; readonly last: LastMessage | undefined }> {
    const { connection, stream } = this.#place
    const last = await readLast(connection, stream.name, this.#subject(type, id))
    const found = last === undefined ? { version: 0, sequence: 0 } : readRecordHead(last, nameOf({ type, id }))
    this.set(type, id, found)
    return { head: { version: found.version, sequence: found.sequence }, last }
  }

  /**
   * The record that follows a version, when it is not far back.
   * @param seen the aggregate at some time before: what follows it is looked at first
   */
  async recordAfter(type: string, id: string, version: number, seen: AggregateHead): Promise<WholeRecord | undefined> {
    const { connection, stream, clock } = this.#place
    const subject = this.#subject(type, id)
    if (seen.version === version) return this.#wholeFrom(type, id, seen.sequence + 1)
    const last = await readLast(connection, stream.name, subject)
    let head = last === undefined ? undefined : readRecordHead(last, nameOf({ type, id }))
    for (let back = 0; head !== undefined && head.version > version && back < BACK; back++) {
      const former = await readLastUpTo(connection, stream.name, subject, { sequence: head.sequence - 1 }, clock)
      const earlier: RecordHead | undefined = former && readRecordHead(former, nameOf({ type, id }))
      if ((earlier?.version ?? 0) === version && earlier?.goesOn !== true)
        return this.#wholeFrom(type, id, (earlier?.sequence ?? 0) + 1)
      head = earlier
    }
    return undefined
  }

  /** The next record from a sequence on, with all its messages. */
  async #wholeFrom(type: string, id: string, from: number): Promise<WholeRecord | undefined> {
    const { connection, stream } = this.#place
    for (let at = from; ;) {
      const found = await nextMessage(connection, stream.name, this.#subject(type, id), at)
      if (found === undefined) return undefined
      const { version, sequence, goesOn, decided } = readRecordHead(fromFound(found), nameOf({ type, id }))
      if (!goesOn) return { version, sequence, commands: decided.map(({ c }) => c) }
      at = sequence + 1
    }
  }

  #subject(type: string, id: string): string {
    return recordSubjects(this.#place.stream, type, id)
  }
}
