import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { scheduleSubject } from '../../broker/system-subject.js'
import { isFault } from '../../error/millrace-error.js'
import { formatTime } from '../../event/rfc3339.js'
import type { DeployedSchedule } from '../../runtime/schedules-at-work.js'
import { decodeRecord, dueNext, type ScheduleRecord } from '../../schedule/schedule-record.js'
import { readScheduleStall, type ScheduleStall } from '../../schedule/schedule-stalls.js'
import type { TickRule } from '../../schedule/tick-rule.js'
import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { count, printTable, type Column } from '../table.js'

/** How far a schedule is. Times in ms since the Unix epoch. */
export interface ScheduleRow {
  readonly schedule: string
  readonly stream: string
  /** For people. */
  readonly due: string
  readonly missedPolicy: string
  /** Undefined: it has never run. */
  readonly record: ScheduleRecord | undefined
  readonly next: number | undefined
  /** How long ago it was due and nobody has run it; 0: it is in time. */
  readonly overdueMs: number
  /** Why it stands still, when it is overdue and who has it knows. */
  readonly stall?: ScheduleStall
}

/** @throws errors of the broker, SCHEDULE_RECORD_INVALID */
export function readSchedules(
  connection: Connection,
  schedules: readonly DeployedSchedule[] = [],
): Promise<readonly ScheduleRow[]> {
  return Promise.all(
    schedules.map(async ({ declaration, stream }) => {
      const { name, rule, missed } = declaration
      const row = { schedule: name, stream: stream.name, due: dueText(rule), missedPolicy: policyText(missed) }
      try {
        const { ts = '' } = await connection.manager.streams.info(stream.name)
        const now = Date.parse(ts) // the clock by which it is run
        const subject = scheduleSubject(stream.name, name)
        const last = await readLast(connection, stream.name, subject)
        const record = last === undefined ? undefined : decodeRecord(last.data, subject)
        const next = dueNext(record, rule, now)
        const overdueMs = Math.max(0, now - (next ?? now))
        const late = overdueMs > 0 || record === undefined
        const stall = late ? await readScheduleStall(connection, name) : undefined
        return { ...row, record, next, overdueMs, ...(stall === undefined ? {} : { stall }) }
      } catch (error) {
        const missing = isFault(error, 'STREAM_NOT_FOUND') || (error as { readonly code?: unknown }).code === 10059
        if (missing) return { ...row, record: undefined, next: undefined, overdueMs: 0 }
        throw error
      }
    }),
  )
}

/** The same for machines. */
export function scheduleJson({ record, next, ...row }: ScheduleRow): object {
  return {
    ...row,
    started: record !== undefined,
    next: next === undefined ? null : formatTime(next),
    last: record?.last == null ? null : { at: formatTime(record.last.nominal), lateMs: record.last.late },
    ticks: record?.ticks ?? 0,
    missed: record?.missed ?? 0,
    deadLetters: record?.letters ?? 0,
    owner: record?.owner.split(' ')[0] ?? null,
  }
}

/** From when on a tick that nobody has run is worth a line, in ms: who takes over needs a few seconds. */
const OVERDUE_MS = 10_000

/** A table of schedules, when there are any, and those that nobody runs. */
export function printSchedules(out: Output, schedules: readonly ScheduleRow[]): void {
  if (schedules.length === 0) return
  out.line()
  printTable(out, COLUMNS, schedules)
  for (const { schedule, overdueMs, stall } of schedules)
    if (stall !== undefined)
      out.line(out.style('yellow', `schedule-${schedule}: stands still: ${stall.code}, ${stall.detail}`))
    else if (overdueMs > OVERDUE_MS)
      out.line(out.style('yellow', `schedule-${schedule}: due ${formatDuration(overdueMs)} ago, and nobody has run it`))
}

export function dueText(rule: TickRule): string {
  if (rule.kind === 'cron') return `${rule.cron} ${rule.timeZone}`
  return rule.kind === 'every' ? `every ${formatDuration(rule.every)}` : `at ${formatTime(rule.at)}`
}

function policyText(missed: DeployedSchedule['declaration']['missed']): string {
  return typeof missed === 'string' ? missed : `all, at most ${missed.all.most}`
}

const COLUMNS: readonly Column<ScheduleRow>[] = [
  { title: 'SCHEDULE', value: ({ schedule }) => schedule },
  { title: 'WRITES', value: ({ stream }) => stream },
  { title: 'DUE', value: ({ due }) => due },
  { title: 'NEXT', value: ({ next }) => (next === undefined ? 'never' : formatTime(next)) },
  { title: 'LAST', value: ({ record }) => (record?.last == null ? '' : formatTime(record.last.nominal)) },
  {
    title: 'LATE',
    align: 'right',
    value: ({ record }) => (record?.last == null ? '' : formatDuration(record.last.late)),
  },
  { title: 'TICKS', align: 'right', value: ({ record }) => count(record?.ticks ?? 0) },
  { title: 'MISSED', align: 'right', value: ({ record }) => count(record?.missed ?? 0) },
  { title: 'DEAD', align: 'right', value: ({ record }) => count(record?.letters ?? 0) },
  { title: 'OWNER', value: ({ record }) => record?.owner.split(' ')[0] ?? 'never run' },
]
