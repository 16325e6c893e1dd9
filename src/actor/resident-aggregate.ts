import type { AggregateTable, Resident } from './aggregate-table.js'
import type { PersonalKey } from './personal-key.js'
import type { ArchiveNote, StateFrame } from './state-frame.js'

/** What is known of an aggregate beside its events, as plain data. It is replaced as a whole by each decision. */
export interface AggregateFacts {
  /** How many events it has. */
  readonly version: number
  readonly state: unknown
  /** Marks of its last commands: see remembered.ts. */
  readonly remembered: string | undefined
  /** By name of a timer that is set: the id of its setting. */
  readonly timers: Readonly<Record<string, string>> | undefined
  readonly closed: boolean
  /** Where its history is, when that is no more in the stream. */
  readonly archived?: ArchiveNote | undefined
  /** Version of the last stored state, carried by a record or in a snapshot; 0: none. */
  readonly storedAt: number
}

/** What few aggregates have. */
interface Rare {
  readonly key: PersonalKey | undefined
  readonly archived: ArchiveNote | undefined
}

function rareOf(key: PersonalKey | undefined, archived: ArchiveNote | undefined): Rare | undefined {
  return key === undefined && archived === undefined ? undefined : { key, archived }
}

/** An aggregate in memory. */
export class ResidentAggregate implements Resident {
  readonly id: string
  version: number
  state: unknown
  remembered: string | undefined
  timers: Readonly<Record<string, string>> | undefined
  closed: boolean
  storedAt: number
  /** A snapshot of it is not committed yet; a batch may not hold two of one aggregate. */
  snapshotOpen = false
  size: number
  pins = 0
  used = true
  slot = 0
  home: AggregateTable<Resident> | undefined = undefined

  /** What few have: a field less for each of the others. A private one would take more. */
  rare: Rare | undefined

  constructor(id: string, facts: AggregateFacts, size: number, key?: PersonalKey) {
    this.id = id
    this.version = facts.version
    this.state = facts.state
    this.remembered = facts.remembered
    this.timers = facts.timers
    this.closed = facts.closed
    this.storedAt = facts.storedAt
    this.size = size
    this.rare = rareOf(key, facts.archived)
  }

  /** Seals what is personal of it; undefined when its actor declares nothing to be. */
  get key(): PersonalKey | undefined {
    return this.rare?.key
  }

  set key(key: PersonalKey | undefined) {
    this.rare = rareOf(key, this.archived)
  }

  get archived(): ArchiveNote | undefined {
    return this.rare?.archived
  }

  become(facts: AggregateFacts): void {
    this.version = facts.version
    this.state = facts.state
    this.remembered = facts.remembered
    this.timers = facts.timers
    this.closed = facts.closed
    this.storedAt = facts.storedAt
    this.rare = rareOf(this.key, facts.archived)
  }
}

/** What an idle aggregate takes beside its id, its state and its timers, in bytes. */
const OVERHEAD = 260

/** Roughly what an aggregate takes in memory, in bytes. @param state of its JSON, in characters */
export function residentSize(facts: AggregateFacts, id: string, state: number): number {
  const timers = facts.timers === undefined ? 0 : 80 * Object.keys(facts.timers).length
  return OVERHEAD + id.length + (facts.remembered?.length ?? 0) + timers + Math.ceil(1.5 * state)
}

/** As it is stored: see StateFrame. @param subject token of whom what is personal in it is about */
export function frameOf(
  facts: AggregateFacts,
  actorVersion: number,
  open: readonly string[] = [],
  subject?: string,
): StateFrame {
  const { version, state, remembered, timers, closed, archived } = facts
  const frame: Writable<StateFrame> = { sv: actorVersion, v: version, s: state }
  if (remembered !== undefined && remembered !== '') frame.c = remembered
  if (timers !== undefined) frame.t = timers
  if (open.length > 0) frame.o = open
  if (closed) frame.z = true
  if (archived !== undefined) frame.a = archived
  if (subject !== undefined) frame.p = subject
  return frame
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }
