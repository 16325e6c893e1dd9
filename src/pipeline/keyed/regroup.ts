import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { KeyedEntry, KeyedPart, Regrouping } from '../../kernel/processor.js'
import type { StoredTime } from '../../time/watermark.js'
import { insideKey } from '../../kernel/entry-table.js'
import { WAITING, type OwnTimeBasis } from './own-time-intake.js'

/** An event that waits for its time in the order of event time. */
interface Waiting {
  readonly number: number
  readonly value: readonly [time: number, event: StoredEvent]
}

/**
 * What a keyed state is made of that takes keys over from units with other keys: their entries, and event time.
 *
 * Event time is that of the unit that is furthest behind: nothing of the others is due before it, and no event is late
 * that would not have been. Events that wait keep their order, which is that of the log.
 * @param current brings the value of a key to where it belongs now
 * @throws KEYED_STATE_UNREADABLE
 */
export function regroup(
  { parts, takes }: Regrouping,
  current: (value: unknown, part: KeyedPart) => unknown = (value) => value,
): KeyedPart {
  const entries: KeyedEntry[] = []
  const waiting: Waiting[] = []
  for (const part of parts)
    for (const { key, value } of part.entries)
      if (key.startsWith(WAITING)) {
        const held = { number: Number(key.slice(WAITING.length)), value: readWaiting(key, value) }
        if (takes(held.value[1].key)) waiting.push(held)
      } else {
        const own = insideKey(key)
        // events without a key have the empty one
        if (takes(own === '' ? undefined : own)) entries.push({ key, value: current(value, part) })
      }
  // one unit has numbered its events as they came, and each unit has them in the order of the log
  waiting.sort((one, other) => one.value[1].sequence - other.value[1].sequence || one.number - other.number)
  for (const [at, { value }] of waiting.entries()) entries.push({ key: `${WAITING}${at + 1}`, value })
  return { entries, basis: regroupTime(parts, waiting.length) }
}

function readWaiting(key: string, value: unknown): Waiting['value'] {
  const [time, event] = Array.isArray(value) ? (value as [unknown, Partial<StoredEvent> | undefined]) : []
  if (typeof time === 'number' && typeof event?.sequence === 'number') return [time, event as StoredEvent]
  throw fault('KEYED_STATE_UNREADABLE', `${JSON.stringify(key)} is no event that waits`)
}

type Basis = Partial<OwnTimeBasis> & { readonly time?: StoredTime }

function regroupTime(parts: Regrouping['parts'], waiting: number): Basis | null {
  const read = parts.map(({ basis, entries, counts }) => ({ basis: basis as Basis | null, entries, counts }))
  const started = read.filter(({ basis }) => typeof basis?.time === 'number')
  const living = started.filter(({ entries }) => entries.length > 0)
  const bases = (living.length > 0 ? living : started).map(({ basis }) => basis as Basis)
  if (bases.length === 0) return null
  const slowest = bases.reduce((one, other) => ((other.time ?? 0) < (one.time ?? 0) ? other : one))
  if (slowest.largest === undefined) return { time: slowest.time ?? null }
  const late = read.reduce((sum, { basis, counts }) => sum + (counts ? (basis?.late ?? 0) : 0), 0)
  return { ...slowest, taken: waiting, late }
}
