import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { TableEntry } from '../../kernel/entry-table.js'
import type { KeyedEntry, KeyedPart, Regrouping } from '../../kernel/processor.js'
import { FIRST_ATTEMPT, type AttemptRecord } from '../attempt-headers.js'

/** Why an event that comes next of its key does not go on. */
export interface Halt {
  /** `parking`: it is on its way to the park. `parked`: its key is parked, until somebody redrives it. */
  readonly kind: 'parking' | 'parked'
  readonly code: string
  readonly detail: string
  /** It is kept in the park behind others of its key, which come back before it. */
  readonly behind?: true
}

/** An event that has no fate yet, as plain data. What is as it is at first is left out. */
export interface StoredOpen {
  readonly e: StoredEvent
  readonly r?: AttemptRecord
  /** When the next attempt is due, in ms since the Unix epoch. */
  readonly u?: number
  readonly h?: Halt
}

/** An event that has no fate yet: the first of its key is at work, or waits for another attempt; the others wait for it. */
export class OpenEvent implements TableEntry {
  /** Its number in the unit: they grow as events come. */
  readonly key: string
  mark = 0
  event: StoredEvent
  record: AttemptRecord
  /** When the next attempt is due, in ms since the Unix epoch; 0: now. */
  due: number
  halt: Halt | undefined
  done = false
  /** Whether another process, or another life of this one, may have begun it. */
  found: boolean
  /** Whether it takes a place of those that are at work, or waits for one. */
  active = false

  constructor(number: number, { e, r = FIRST_ATTEMPT, u = 0, h }: StoredOpen, found = false) {
    this.key = String(number)
    this.event = e
    this.record = r
    this.due = u
    this.halt = h
    this.found = found
  }

  /** Id of the step that it waits for: another one for each attempt. */
  get step(): string {
    const { generation, attempt } = this.record
    return `${this.key}-${this.halt === undefined ? `${generation}.${attempt}` : 'park'}`
  }
}

/** What is kept of one; undefined: it has its fate. */
export function storedOpen({ event, record, due, halt, done }: OpenEvent): StoredOpen | undefined {
  if (done) return undefined
  return {
    e: event,
    ...(record === FIRST_ATTEMPT ? {} : { r: record }),
    ...(due === 0 ? {} : { u: due }),
    ...(halt === undefined ? {} : { h: halt }),
  }
}

/** Whether it is one event, wherever it was read. */
export function isSame(one: StoredEvent, other: StoredEvent): boolean {
  return one.id === other.id && one.source === other.source
}

/** As they came. @throws HANDLER_STATE_INVALID */
export function readOpen(entries: Iterable<KeyedEntry>): readonly OpenEvent[] {
  const read: OpenEvent[] = []
  for (const { key, value } of entries) {
    const number = Number(key)
    const stored = value as StoredOpen | null
    if (!Number.isSafeInteger(number) || typeof stored?.e?.type !== 'string')
      throw fault('HANDLER_STATE_INVALID', `entry ${JSON.stringify(key.slice(0, 100))} is no event`)
    read.push(new OpenEvent(number, stored, true))
  }
  return read.sort((one, other) => Number(one.key) - Number(other.key))
}

/** What the units keep that take keys over from others. @throws HANDLER_STATE_INVALID */
export function regroupOpen({ parts, takes }: Regrouping): KeyedPart {
  const entries: KeyedEntry[] = []
  const since = Math.max(0, ...parts.map(({ basis }) => (basis as { since?: number } | null)?.since ?? 0))
  // the events of a key were in one unit, which has numbered them as they came
  for (const part of parts)
    for (const open of readOpen(part.entries))
      if (takes(open.event.key)) entries.push({ key: String(entries.length + 1), value: storedOpen(open) })
  return { entries, basis: { since } }
}
