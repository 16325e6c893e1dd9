import { formatTime } from '../../event/rfc3339.js'

/** A time for a person, to the millisecond. @param time in ms since the Unix epoch */
export function timeText(time: number): string {
  return formatTime(time).slice(0, 23).replace('T', ' ')
}
