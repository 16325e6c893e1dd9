import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { messageAt, nextMessage, nextMessageSince, type FoundMessage } from '../broker/next-message.js'
import { DEAD_LETTER_STREAM, deadLetterSubject } from '../broker/system-subject.js'
import { isFault } from '../error/millrace-error.js'
import { decodeHeaderValue } from '../event/header-value.js'
import { readPack } from '../event/decode-packed.js'
import { DEAD_LETTER_HEADER } from '../kernel/dead-letter.js'
import { readUnitParking } from '../kernel/parking/parked-unit.js'
import { partitionOfAggregate, recordSubjects, type RecordStream } from './aggregate-subject.js'
import type { Outcome, OutcomeEvent } from './outcome.js'
import { parkedDetail } from './parked-detail.js'
import { readRecordHead } from './read-record.js'
import { fromFound, type RecordHead } from './record.js'
import { commandMark, isRemembered } from './remembered.js'

/** Where the outcomes of one aggregate’s commands are. */
export interface OutcomePlace {
  /** Name of the actor. */
  readonly actor: string
  /** Of the aggregate. */
  readonly id: string
  /** The stream of its records, and the name of that of its commands. */
  readonly records: RecordStream
  readonly commands: string
}

/** The clocks of a cluster’s servers may be so far apart, in ms: the record of a command may seem older than it. */
const APART_MS = 60_000

/**
 * Looks for the outcome of one command in the log: in the records of its aggregate from about when it was stored, then
 * among the dead letters, then among what is parked. What was looked at is not read again, so that looking repeatedly costs what is new.
 */
export class OutcomeSearch {
  readonly #connection: Connection
  readonly #place: OutcomePlace
  readonly #commandId: string
  /** Of the command; undefined where that is not known. */
  readonly #sequence: number | undefined
  readonly #subject: string
  /** The first record that was not looked at; undefined before the first look. */
  #from: number | undefined
  /** Events of a record that goes on in the next message. */
  #begun: OutcomeEvent[] = []
  #all = false

  /** @param sequence of the command in its stream; without it the whole history is read @throws AGGREGATE_ID_INVALID */
  constructor(connection: Connection, place: OutcomePlace, commandId: string, sequence: number | undefined) {
    this.#connection = connection
    this.#place = place
    this.#commandId = commandId
    this.#sequence = sequence
    this.#subject = recordSubjects(place.records, place.actor, place.id)
    if (sequence === undefined) this.#readAll()
  }

  /**
   * The outcome, when there is one by now.
   * @param signal ends a long look between two records
   * @throws AGGREGATE_RECORD_INVALID, and errors of the broker
   */
  async look(signal: AbortSignal): Promise<Outcome | undefined> {
    const outcome = await this.#inRecords(signal)
    if (outcome !== undefined || signal.aborted) return outcome
    return (await this.#inDeadLetters()) ?? this.#inPark(signal)
  }

  /** It is kept behind one that failed, unless it came back from there by now. */
  async #inPark(signal: AbortSignal): Promise<Outcome | undefined> {
    const { actor, id, records, commands } = this.#place
    if (this.#sequence === undefined) return undefined
    const partition = String(partitionOfAggregate(id, records.partitions))
    const unit = { processor: `actor-${actor}`, partition, input: commands, output: records.name, merged: false }
    const { parked, position } = (await readUnitParking(this.#connection, unit)) ?? { parked: [], position: 0 }
    const entry = parked.find(({ key }) => key === id)
    if (entry === undefined || this.#sequence < entry.since || this.#sequence > position) return undefined
    const since = await this.#inRecords(signal)
    if (since !== undefined) return since
    const detail = parkedDetail(actor, id, entry.code)
    return { kind: 'failed', commandId: this.#commandId, id, code: 'AGGREGATE_PARKED', detail }
  }

  async #inRecords(signal: AbortSignal): Promise<Outcome | undefined> {
    const first = this.#from === undefined
    for (let found = await this.#next(); found !== undefined && !signal.aborted; found = await this.#next()) {
      const head = readRecordHead(fromFound(found), this.#subject)
      this.#from = found.sequence + 1
      const events = [...this.#begun, ...eventsIn(found.data)]
      this.#begun = head.goesOn ? events : []
      const outcome = head.goesOn ? undefined : this.#outcomeIn(head, events)
      if (outcome !== undefined) return outcome
    }
    if (!first || this.#all || signal.aborted || !(await this.#wasDone())) return undefined
    this.#readAll()
    return this.#inRecords(signal)
  }

  /** Whether it came again when the stream had forgotten it: then it was done long before this copy of it was stored. */
  async #wasDone(): Promise<boolean> {
    const last = await readLast(this.#connection, this.#place.records.name, this.#subject)
    if (last === undefined) return false
    return isRemembered(readRecordHead(last, this.#subject).frame?.c, commandMark(this.#commandId))
  }

  #outcomeIn({ decided, version, sequence }: RecordHead, events: readonly OutcomeEvent[]): Outcome | undefined {
    const common = { commandId: this.#commandId, id: this.#place.id }
    let end = events.length
    let after = version
    for (const { c, n, x } of decided.toReversed()) {
      if (c === this.#commandId) {
        const place = { ...common, version: after, sequence }
        if (x !== undefined) return { kind: 'rejected', ...place, ...x }
        return { kind: 'accepted', ...place, events: events.slice(Math.max(0, end - n), end) }
      }
      end -= n
      after -= n
    }
    return undefined
  }

  #readAll(): void {
    this.#all = true
    this.#from = 1
    this.#begun = []
  }

  async #next(): Promise<FoundMessage | undefined> {
    const { name } = this.#place.records
    if (this.#from !== undefined) return nextMessage(this.#connection, name, this.#subject, this.#from)
    const command = await messageAt(this.#connection, this.#place.commands, this.#sequence ?? 0)
    if (command !== undefined)
      return nextMessageSince(this.#connection, name, this.#subject, command.storedAt - APART_MS)
    this.#readAll() // it is that old that nobody has it any more
    return nextMessage(this.#connection, name, this.#subject, 1)
  }

  async #inDeadLetters(): Promise<Outcome | undefined> {
    const { actor, id, commands } = this.#place
    if (this.#sequence === undefined) return undefined
    for (const processor of [`actor-${actor}`, 'contract']) {
      const letter = await lastLetter(this.#connection, deadLetterSubject(commands, this.#sequence, processor))
      if (letter !== undefined) return { kind: 'failed', commandId: this.#commandId, id, ...letter }
    }
    return undefined
  }
}

function eventsIn(pack: Uint8Array): readonly OutcomeEvent[] {
  return readPack(pack).flatMap((member) =>
    member.kind === 'envelope' ? [{ id: member.envelope.id, type: member.envelope.type }] : [],
  )
}

async function lastLetter(
  connection: Connection,
  subject: string,
): Promise<{ readonly code: string; readonly detail: string } | undefined> {
  const letter = await readLast(connection, DEAD_LETTER_STREAM, subject).catch((error: unknown) => {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined // nothing was ever applied, so nothing has failed
    throw error
  })
  const text = (name: string): string => decodeHeaderValue(letter?.header(name) ?? '') ?? ''
  if (letter === undefined) return undefined
  return { code: text(DEAD_LETTER_HEADER.code), detail: text(DEAD_LETTER_HEADER.detail) }
}
