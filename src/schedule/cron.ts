import { Cron } from 'croner'
import { fault, messageOf } from '../error/millrace-error.js'

/** The calendar of a cron expression: the only place that knows the library which calculates it. */
export interface CronCalendar {
  /** The first time after `after`, in ms since the Unix epoch; undefined: there is none. */
  next(after: number): number | undefined
}

const calendars = new Map<string, CronCalendar>()
const MOST_CALENDARS = 1_000

/**
 * Reads a cron expression of five fields, or of six with seconds first; names of days and months, lists, ranges, steps,
 * `L`, `W` and `#` as well.
 *
 * When clocks are put forward or back, expressions are of two kinds, as in Vixie’s cron. Those that name their hours and
 * minutes (`30 2 * * *`, `0 9,21 * * *`) are due once a day, whatever happens: a time that is skipped is due when the gap
 * is over, one that comes twice is due the first time. Those with a wildcard or a step in them (`0 * * * *`) follow
 * elapsed time: a skipped hour has no ticks, a doubled one has them twice.
 * @param timeZone an IANA name such as `Europe/Berlin`; its rules are those of the ICU data of Node
 * @throws SCHEDULE_INVALID
 */
export function cronCalendar(expression: string, timeZone: string): CronCalendar {
  const key = `${timeZone} ${expression}`
  const known = calendars.get(key)
  if (known !== undefined) return known
  const calendar = read(expression, timeZone)
  if (calendars.size >= MOST_CALENDARS) calendars.clear()
  calendars.set(key, calendar)
  return calendar
}

function read(expression: string, timeZone: string): CronCalendar {
  let cron: Cron
  try {
    // paused, and without a function to call: it counts, and sets no timers
    cron = new Cron(expression.trim(), {
      paused: true,
      timezone: timeZone,
      mode: '5-or-6-parts',
      fixedTimeRule: 'no-wildcard',
    })
    if (cron.nextRun(new Date(0)) === null) throw new RangeError('it is never due')
  } catch (cause) {
    const detail = `cron ${JSON.stringify(expression)} in ${JSON.stringify(timeZone)}: ${messageOf(cause)}`
    throw fault('SCHEDULE_INVALID', detail, { cause })
  }
  return { next: (after) => cron.nextRun(new Date(after))?.getTime() }
}
