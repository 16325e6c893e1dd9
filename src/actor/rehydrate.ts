// Rehydrate
//
// Brings an aggregate back from the log: what its last record carries, else its last snapshot and the events after it,
// else its whole history. The last record is asked of the stream's leader, so that what was acknowledged is seen; what
// lies before it does not change, and is read from whichever server answers.
//
// Invariants (tests cite them):
//   RH1  The state is that of initial and every event up to the version, in order, however it was stored.
//   RH2  A state that cannot be known is an error with a code, never another state.
//   RH3  A state that the last record carries takes one read.
import { readLast, type LastMessage } from '../broker/last-message.js'
import { readLastUpTo } from '../broker/direct-read.js'
import { nextMessage } from '../broker/next-message.js'
import { fault } from '../error/millrace-error.js'
import { aggregateSnapshotSubject, recordSubjects } from './aggregate-subject.js'
import { readAggregateSnapshot } from './aggregate-snapshot.js'
import type { AggregateShape, Fold } from './aggregate-shape.js'
import { readRecordHead } from './read-record.js'
import { nameOf, readRecords, type AggregatePlace } from './read-records.js'
import { withheldPersonal, type PersonalReader } from './read-personal.js'
import { fromFound, type RecordHead } from './record.js'
import type { ArchiveNote, StateFrame } from './state-frame.js'
import { openState } from './stored-state.js'

/** A point of the log: after the message of a sequence, or after everything stored up to a time (ms since 1970). */
export type LogPoint = { readonly sequence: number } | { readonly time: number }

/** An aggregate as the log has it. */
export interface Rehydrated {
  readonly version: number
  readonly state: unknown
  /** Version of the state that was stored last, in a record or a snapshot; 0: none. */
  readonly storedVersion: number
  /** What is known beside the state, when an actor wrote the last record. */
  readonly frame: StateFrame | undefined
  /** Of the last record; 0: there is none. What the next write of its subject expects. */
  readonly sequence: number
  /** Requests that it took. */
  readonly reads: number
}

export interface RehydrateOptions {
  readonly actor: AggregateShape
  readonly fold: Fold
  /** As it was then. Default: now. */
  readonly upTo?: LogPoint | undefined
  /** Reads what is sealed. Default: it is null, as if it were erased. */
  readonly personal?: PersonalReader | undefined
}

/** A state to fold on from, and where what comes after it begins. */
interface Basis {
  readonly version: number
  readonly state: unknown
  readonly from: number
}

/** From this version on a carried state is looked for before the whole history is read, so many records back. */
const LONG = 10_000
const BACK = 64
const ATTEMPTS = 5

/**
 * @throws AGGREGATE_STATE_NEWER, AGGREGATE_STATE_INVALID, AGGREGATE_HISTORY_GONE, AGGREGATE_VERSION_GAP,
 *   AGGREGATE_RECORD_INVALID, AGGREGATE_ID_INVALID; what fold throws; errors of the broker
 */
export async function rehydrate(place: AggregatePlace, options: RehydrateOptions): Promise<Rehydrated> {
  const counted = new Reading(place, options)
  for (let attempt = 1; ; attempt++) {
    const found = await counted.attempt()
    // a snapshot that is newer than the record that was read: somebody has decided meanwhile
    if (found !== undefined) return found
    if (attempt === ATTEMPTS)
      throw fault('AGGREGATE_VERSION_GAP', `${nameOf(place)}: its snapshot is newer than its last record`)
  }
}

class Reading {
  readonly #place: AggregatePlace
  readonly #options: RehydrateOptions
  readonly #subject: string
  readonly #where: string
  #reads = 0
  /** Whether its actor has values sealed. */
  #sealed = false

  constructor(place: AggregatePlace, options: RehydrateOptions) {
    this.#place = place
    this.#options = options
    this.#subject = recordSubjects(place.stream, place.type, place.id)
    this.#where = nameOf(place)
  }

  /** @returns undefined: what was read does not belong together, as another decision came in between */
  async attempt(): Promise<Rehydrated | undefined> {
    const { actor, upTo } = this.#options
    const head = upTo === undefined ? await this.#last() : await this.#lastUpTo(upTo)
    if (head === undefined) return this.#withoutRecord()
    const archived = await this.#archive(head)
    if (archived !== undefined) return this.#archived(head, archived)
    this.#sealed = head.frame?.p !== undefined
    const carried = openState(actor, await this.#read(head.frame), this.#where)
    if (carried.kind === 'usable') return this.#found(head, carried.state, head.version)
    const snapshot = carried.kind === 'outdated' ? undefined : await this.#snapshot()
    if (snapshot !== undefined && snapshot.version > head.version && upTo === undefined)
      return this.#atSnapshot(snapshot)
    const usable = snapshot !== undefined && snapshot.version <= head.version ? snapshot : undefined
    const basis = usable ?? (carried.kind === 'outdated' ? undefined : await this.#carriedBefore(head))
    return this.#folded(head, basis ?? { version: 0, state: actor.initial(this.#place.id), from: 1 })
  }

  /** Nothing is left of its state; it takes no more commands. */
  #archived(head: RecordHead, a: ArchiveNote): Rehydrated {
    const frame: StateFrame = { sv: this.#options.actor.version, v: head.version, ...head.frame, a }
    return this.#found({ ...head, frame }, this.#options.actor.initial(this.#place.id), head.version)
  }

  /** Where its history is. An owner that had it in memory when it was archived may have rejected commands since. */
  async #archive({ frame }: RecordHead): Promise<ArchiveNote | undefined> {
    if (frame?.a !== undefined || frame?.z !== true) return frame?.a
    this.#reads += 1
    const first = await nextMessage(this.#place.connection, this.#place.stream.name, this.#subject, 1)
    return first === undefined ? undefined : readRecordHead(fromFound(first), this.#where).frame?.a
  }

  /** Somebody has decided since the last record was read: the snapshot’s own record is the one that belongs to it. */
  async #atSnapshot({ from, version, state }: Basis): Promise<Rehydrated | undefined> {
    const head = await this.#lastUpTo({ sequence: from - 1 })
    return head?.version === version ? this.#found(head, state, version) : undefined
  }

  async #folded(head: RecordHead, basis: Basis): Promise<Rehydrated> {
    const { id } = this.#place
    let { version, state } = basis
    const stored = basis.from === 1 ? 0 : version
    if (version === head.version) return this.#found(head, state, stored)
    this.#reads += 1
    for await (const record of readRecords(this.#place, { from: basis.from, after: version, through: head })) {
      if (record.events.length > 0) state = this.#options.fold({ id, version, state }, await this.#read(record.events))
      version = record.version
    }
    return this.#found(head, state, stored)
  }

  /** Records may have been deleted by age; a snapshot is not. */
  async #withoutRecord(): Promise<Rehydrated> {
    const { actor, upTo } = this.#options
    const snapshot = upTo === undefined ? await this.#snapshot() : undefined
    const { version, state } = snapshot ?? { version: 0, state: actor.initial(this.#place.id) }
    const frame = snapshot?.frame
    return { version, state, storedVersion: version, frame, sequence: 0, reads: this.#reads }
  }

  #found(head: RecordHead, state: unknown, storedVersion: number): Rehydrated {
    const { version, frame, sequence } = head
    return { version, state, storedVersion, frame, sequence, reads: this.#reads }
  }

  async #last(): Promise<RecordHead | undefined> {
    this.#reads += 1
    const last = await this.#readLast(this.#subject)
    return last === undefined ? undefined : readRecordHead(last, this.#where)
  }

  async #lastUpTo(upTo: LogPoint): Promise<RecordHead | undefined> {
    const { connection, stream, clock } = this.#place
    const before = (at: { readonly sequence: number; readonly storedAt: number }): boolean =>
      'sequence' in upTo ? at.sequence <= upTo.sequence : at.storedAt <= upTo.time
    const last = await this.#last()
    if (last === undefined || before(last)) return last
    this.#reads += 2
    const found = await readLastUpTo(connection, stream.name, this.#subject, upTo, clock)
    let head = found === undefined ? undefined : readRecordHead(found, this.#where)
    // the server that answered may be behind
    for (;;) {
      const next = await nextMessage(connection, stream.name, this.#subject, (head?.sequence ?? 0) + 1)
      if (next === undefined || !before(next)) return head?.goesOn === true ? this.#whole(head) : head
      head = readRecordHead(fromFound(next), this.#where)
    }
  }

  /** A record that goes on is stored with the rest of it, in one batch: what lies before it was true up to there. */
  async #whole(head: RecordHead): Promise<RecordHead | undefined> {
    const { connection, stream, clock } = this.#place
    for (let part: RecordHead | undefined = head; part !== undefined;) {
      if (!part.goesOn) return part
      const former = await readLastUpTo(connection, stream.name, this.#subject, { sequence: part.sequence - 1 }, clock)
      part = former === undefined ? undefined : readRecordHead(former, this.#where)
    }
    return undefined
  }

  async #snapshot(): Promise<(Basis & { readonly frame: StateFrame }) | undefined> {
    const { stream, type, id } = this.#place
    this.#reads += 1
    const found = await this.#readLast(aggregateSnapshotSubject(stream.name, type, id))
    if (found === undefined) return undefined
    const frame = readAggregateSnapshot(found, this.#where)
    const opened = openState(this.#options.actor, await this.#read(frame), this.#where)
    if (opened.kind !== 'usable') return undefined
    return { version: frame.v, state: opened.state, from: found.sequence + 1, frame }
  }

  async #read<T>(stored: T): Promise<T> {
    const { personal = this.#sealed ? withheldPersonal : undefined } = this.#options
    return personal === undefined ? stored : personal.read(stored)
  }

  #readLast(subject: string): Promise<LastMessage | undefined> {
    const { connection, stream, lastOf } = this.#place
    return lastOf === undefined ? readLast(connection, stream.name, subject) : lastOf(subject)
  }

  async #carriedBefore(head: RecordHead): Promise<Basis | undefined> {
    const { connection, stream, clock } = this.#place
    if (head.version < LONG) return undefined
    let { sequence } = head
    for (let back = 0; back < BACK; back++) {
      this.#reads += 1
      const found = await readLastUpTo(connection, stream.name, this.#subject, { sequence: sequence - 1 }, clock)
      if (found === undefined) return undefined
      const { frame, version } = readRecordHead(found, this.#where)
      const opened = openState(this.#options.actor, await this.#read(frame), this.#where)
      if (opened.kind === 'outdated') return undefined
      sequence = found.sequence
      if (opened.kind === 'usable') return { version, state: opened.state, from: sequence + 1 }
    }
    return undefined
  }
}
