import { fault } from '../error/millrace-error.js'
import { parseTime } from '../event/rfc3339.js'
import type { Clock } from '../time/clock.js'
import { parseDuration } from '../time/duration.js'

/**
 * A time as RFC 3339 has it, or so long ago, in ms since the Unix epoch.
 * @param option its name, for the error
 * @throws USAGE
 */
export function pastTime(option: string, text: string, clock: Clock): number {
  const time = parseTime(text)
  if (time !== undefined) return time
  try {
    return clock.now() - parseDuration(text)
  } catch {
    throw fault(
      'USAGE',
      `${option} ${JSON.stringify(text)} is neither a time (2026-01-31T12:00:00Z) nor a duration (2h)`,
    )
  }
}
