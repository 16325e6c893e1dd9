/** The range of times that RFC 3339 can write, years 0000 to 9999, in milliseconds since the Unix epoch. */
const FIRST = -62_167_219_200_000
const LAST = 253_402_300_799_999

const [DASH, DOT, COLON, LETTER_T, LETTER_Z] = [0x2d, 0x2e, 0x3a, 0x74, 0x7a]
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether a time, in milliseconds since the Unix epoch, can be written as RFC 3339. */
export function isWritableTime(ms: number): boolean {
  return ms >= FIRST && ms <= LAST
}

let readPrefix = 'none yet'
let readSecond = 0
const CAPITAL_Z = 0x5a

// Events come many in a second, so the part up to the second is kept from the last call.
const MILLIS = Array.from({ length: 1000 }, (_, ms) => `.${String(ms).padStart(3, '0')}Z`)
let lastSecond = 0
let lastPrefix = '1970-01-01T00:00:00'

/** Writes a time as RFC 3339 in UTC with milliseconds; fractions of one are cut off. The time must be writable. */
export function formatTime(ms: number): string {
  const whole = Math.floor(ms)
  const second = Math.floor(whole / 1000)
  if (second !== lastSecond) {
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 19)
    lastSecond = second
  }
  return lastPrefix + (MILLIS[whole - second * 1000] ?? '')
}

/**
 * Reads an RFC 3339 date-time (section 5.6), to milliseconds since the Unix epoch. Finer fractions are cut off; a leap
 * second is the first instant of the next second. Date.parse is not used: it takes far more than RFC 3339 has, and
 * turns February 30 into March 1.
 *
 * @returns undefined when the text is not an RFC 3339 date-time
 */
export function parseTime(text: string): number | undefined {
  // most times of a stream lie in the second of the one before, and end in `.123Z`
  if (text.length === 24 && text.startsWith(readPrefix) && isAt(text, 19, DOT) && text.charCodeAt(23) === CAPITAL_Z) {
    const ms = digits(text, 20, 3)
    if (ms >= 0) return readSecond + ms
  }
  const time = parseAnyTime(text)
  if (time !== undefined && text.endsWith('Z')) {
    readPrefix = text.slice(0, 19)
    readSecond = Math.floor(time / 1_000) * 1_000
  }
  return time
}

function parseAnyTime(text: string): number | undefined {
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  const second = digits(text, 17, 2)
  const separated = isAt(text, 4, DASH) && isAt(text, 7, DASH) && isAt(text, 13, COLON) && isAt(text, 16, COLON)
  if (!separated || !isLetterAt(text, 10, LETTER_T)) return undefined
  if ((year | month | day | hour | minute | second) < 0) return undefined
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 60) return undefined

  const zoneAt = skipFraction(text)
  const offset = zoneAt === undefined ? undefined : offsetOf(text, zoneAt)
  if (zoneAt === undefined || offset === undefined) return undefined
  return startOf(year, month, day) + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction(text, zoneAt)
}

function digits(text: string, at: number, count: number): number {
  let value = 0
  for (let index = at; index < at + count; index++) {
    const digit = text.charCodeAt(index) - 48
    if (!(digit >= 0 && digit <= 9)) return -1 // NaN past the end of the text
    value = value * 10 + digit
  }
  return value
}

function isAt(text: string, at: number, code: number): boolean {
  return text.charCodeAt(at) === code
}

/** A letter in either case. */
function isLetterAt(text: string, at: number, lower: number): boolean {
  return (text.charCodeAt(at) | 0x20) === lower
}

function daysIn(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return leap ? 29 : (DAYS[month - 1] ?? 0)
}

function startOf(year: number, month: number, day: number): number {
  if (year >= 100) return Date.UTC(year, month - 1, day)
  return new Date(0).setUTCFullYear(year, month - 1, day) // Date.UTC takes 0–99 for 1900–1999
}

/** Where the zone starts: after the fraction, if there is one. */
function skipFraction(text: string): number | undefined {
  if (!isAt(text, 19, DOT)) return 19
  let at = 20
  while (digits(text, at, 1) >= 0) at++
  return at > 20 ? at : undefined
}

function fraction(text: string, end: number): number {
  let ms = 0
  for (let at = 20, unit = 100; at < end && unit >= 1; at++, unit /= 10) ms += digits(text, at, 1) * unit
  return ms
}

/** Minutes east of UTC. */
function offsetOf(text: string, at: number): number | undefined {
  if (isLetterAt(text, at, LETTER_Z)) return text.length === at + 1 ? 0 : undefined
  const sign = text[at] === '+' ? 1 : text[at] === '-' ? -1 : 0
  const hours = digits(text, at + 1, 2)
  const minutes = digits(text, at + 4, 2)
  const wellFormed = sign !== 0 && text[at + 3] === ':' && text.length === at + 6
  if (!wellFormed || (hours | minutes) < 0 || hours > 23 || minutes > 59) return undefined
  return sign * (hours * 60 + minutes)
}
