import { InvalidArgumentError } from 'commander'
import { isFault } from '../error/millrace-error.js'
import { parseDuration } from '../time/duration.js'

/** A whole number from `least` on, for commander. */
export function wholeNumber(least = 1): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`It is a whole number from ${least}.`)
    return value
  }
}

/** A number above 0, such as 2.50. */
export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!/^\d+(?:\.\d+)?$/.test(text) || !(value > 0)) throw new InvalidArgumentError('Write it like 2.50.')
  return value
}

/** Names with commas between, as often as the option is given. */
export function names(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((name) => name !== '')]
}

/** A duration of at least a millisecond, in ms. */
export function duration(text: string): number {
  try {
    const ms = parseDuration(text)
    if (ms >= 1) return ms
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
  }
  throw new InvalidArgumentError('Write it like 250ms, 30s or 5m.')
}

/** So many in a second: `50/s`, or `50`. */
export function perSecond(text: string): number {
  const [, number = ''] = /^(\d+(?:\.\d+)?)(?:\/s)?$/.exec(text) ?? []
  const value = Number(number)
  if (number === '' || !(value > 0)) throw new InvalidArgumentError('Write it like 50/s.')
  return value
}

/** A day such as 2026-01-31, or `all`. */
export function dayOrAll(text: string): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))
  if (text === 'all' || isDay) return text
  throw new InvalidArgumentError('Write it like 2026-01-31, or all.')
}
