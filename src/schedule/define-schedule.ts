import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { isWritableTime } from '../event/rfc3339.js'
import { parseDuration } from '../time/duration.js'
import { cronCalendar } from './cron.js'
import type { MissedPolicy } from './decide-ticks.js'
import type { ScheduleDeclaration, ScheduleOptions, ScheduleTimes } from './schedule-options.js'
import type { TickRule } from './tick-rule.js'

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const SHORTEST_MS = 100
const MOST_MADE_UP = 10_000

/**
 * Declares a schedule: events at times of a calendar, at an interval, or at one time. Each nominal time has its events in
 * the stream exactly once, whichever process runs it and whatever is killed; what becomes of times at which nobody ran is
 * said by `missed`.
 *
 * @example
 * export default defineSchedule({
 *   name: 'morning-report', stream: 'REPORTS', events: [ReportDue],
 *   cron: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin', missed: 'once',
 *   emits: ({ time }) => ReportDue({ day: time.slice(0, 10) }),
 * })
 * @throws SCHEDULE_INVALID, DURATION_INVALID
 */
export function defineSchedule<const Events extends readonly EventContract[]>(
  options: ScheduleOptions<Events>,
): ScheduleDeclaration {
  if (typeof options !== 'object' || options === null) throw fault('SCHEDULE_INVALID', 'defineSchedule takes an object')
  const { name, stream, events, emits, missed = 'once' } = options
  const invalid: Invalid = (detail) => {
    throw fault('SCHEDULE_INVALID', `${name}: ${detail}`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (typeof stream !== 'string') invalid('stream is missing')
  if (!Array.isArray(events) || events.length === 0) invalid('events is empty')
  for (const [at, contract] of (events as readonly EventContract[]).entries())
    if (typeof contract?.type !== 'string') invalid(`events[${at}] is no contract`)
  if (typeof emits !== 'function') invalid('emits is no function')
  return Object.freeze<ScheduleDeclaration>({
    kind: 'schedule',
    name,
    stream,
    events: Object.freeze([...events]),
    rule: Object.freeze(ruleOf(options, invalid)),
    missed: policyOf(missed, invalid),
    emits: emits as ScheduleDeclaration['emits'],
  })
}

type Invalid = (detail: string) => never

function ruleOf({ cron, timeZone, every, anchor, at }: ScheduleTimes, invalid: Invalid): TickRule {
  const given = [cron, every, at].filter((value) => value !== undefined)
  if (given.length !== 1) return invalid('say one of cron, every and at')
  if (timeZone !== undefined && cron === undefined) return invalid('timeZone is for cron')
  if (anchor !== undefined && every === undefined) return invalid('anchor is for every')
  if (cron !== undefined) {
    if (typeof cron !== 'string') return invalid('cron is no text')
    const rule = { kind: 'cron', cron: cron.trim().replaceAll(/\s+/g, ' '), timeZone: timeZone ?? 'UTC' } as const
    cronCalendar(rule.cron, rule.timeZone)
    return rule
  }
  if (at !== undefined) return { kind: 'at', at: instant(at, 'at', invalid) }
  const interval = parseDuration(every ?? 0)
  if (!Number.isInteger(interval) || interval < SHORTEST_MS)
    return invalid(`every ${String(every)} must be whole milliseconds, at least ${SHORTEST_MS}`)
  return { kind: 'every', every: interval, anchor: anchor === undefined ? 0 : instant(anchor, 'anchor', invalid) }
}

function policyOf(missed: MissedPolicy, invalid: Invalid): MissedPolicy {
  if (missed === 'skip' || missed === 'once') return missed
  const most = typeof missed === 'object' && missed !== null ? missed.all?.most : undefined
  if (most === undefined || !Number.isInteger(most) || most < 1 || most > MOST_MADE_UP)
    return invalid(`missed must be 'skip', 'once' or { all: { most } } with most from 1 to ${MOST_MADE_UP}`)
  return Object.freeze({ all: Object.freeze({ most }) })
}

function instant(value: Date | string, what: string, invalid: Invalid): number {
  // a text without an offset would mean another time on another machine
  const offset = value instanceof Date || /(?:Z|[+-]\d\d:?\d\d)$/i.test(String(value).trim())
  const ms = new Date(value).getTime()
  if (!isWritableTime(ms)) return invalid(`${what} ${JSON.stringify(value)} is no time`)
  return offset ? ms : invalid(`${what} ${JSON.stringify(value)} needs an offset, such as Z or +01:00`)
}
