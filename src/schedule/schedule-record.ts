import { z } from 'zod'
import { fault } from '../error/millrace-error.js'
import { nextTick, ruleText, type TickRule } from './tick-rule.js'

/** How far a schedule is, as its stream has it. */
export interface ScheduleRecord {
  /** Which run wrote it, and which of its records this is: so it knows its own again. */
  readonly owner: string
  readonly count: number
  /** When it is due, as ruleText has it. */
  readonly rule: string
  /** Every nominal time up to there is decided; in ms since the Unix epoch. */
  readonly position: number
  /** The latest tick that was run: when it was due, and how much later it was stored, in ms. */
  readonly last: { readonly nominal: number; readonly late: number } | null
  /** Ticks that were run ever, that were passed over, that became dead letters. */
  readonly ticks: number
  readonly missed: number
  readonly letters: number
}

const schema = z.object({
  v: z.literal(1),
  owner: z.string(),
  count: z.number().int(),
  rule: z.string(),
  position: z.number().int(),
  last: z.object({ nominal: z.number().int(), late: z.number() }).nullable(),
  ticks: z.number().int(),
  missed: z.number().int(),
  letters: z.number().int(),
})

export function encodeRecord(record: ScheduleRecord): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, ...record }))
}

/** @throws SCHEDULE_RECORD_INVALID */
export function decodeRecord(data: Uint8Array, where: string): ScheduleRecord {
  try {
    const { v: _v, ...record } = schema.parse(JSON.parse(Buffer.from(data).toString()))
    return record
  } catch (cause) {
    throw fault('SCHEDULE_RECORD_INVALID', where, { cause })
  }
}

/**
 * Where a schedule goes on. One that has never run begins now, and so does one whose times were changed: what the new
 * ones would have been before that was never promised. A single time is promised whenever it is, unless a later one was
 * run already: then it may have been run itself.
 */
export function startingRecord(
  stored: ScheduleRecord | undefined,
  rule: TickRule,
  owner: string,
  now: number,
): ScheduleRecord {
  const text = ruleText(rule)
  const begin: ScheduleRecord = {
    owner,
    count: 0,
    rule: text,
    position: now,
    last: null,
    ticks: 0,
    missed: 0,
    letters: 0,
  }
  const record = stored === undefined ? begin : { ...stored, owner, count: 0 }
  if (stored?.rule === text) return record
  const ran = record.last?.nominal ?? Number.NEGATIVE_INFINITY
  if (rule.kind === 'at' && rule.at > ran) return { ...record, rule: text, position: rule.at - 1 }
  // a position that is ahead stays: no nominal time is run twice, whichever rule it comes from; that of a single time
  // that has not come yet says nothing about others
  const reached = stored?.rule === `at ${record.position + 1}` ? ran : record.position
  return { ...record, rule: text, position: Math.max(now, reached) }
}

/** When the schedule is due next, as far as its record tells; undefined: never again. */
export function dueNext(record: ScheduleRecord | undefined, rule: TickRule, now: number): number | undefined {
  return nextTick(rule, startingRecord(record, rule, '', now).position)
}
