import { fault, isFault } from '../../error/millrace-error.js'
import { parseTime } from '../../event/rfc3339.js'
import type { ReplayStart } from '../../replay/replay-range.js'
import { parseDuration } from '../../time/duration.js'

/** Options that name a part of a stream. */
export interface RangeFlags {
  /** A sequence, a time, a date, or how long ago. */
  readonly from?: string
  readonly to?: string
  /** How long ago it begins: the same as `--from 7d`. */
  readonly last?: string
}

export interface AskedRange {
  readonly from: ReplayStart
  readonly to: ReplayStart | undefined
}

/**
 * @param now in ms since the epoch: a duration is a time before it
 * @returns undefined when no range was named
 * @throws USAGE
 */
export function rangeOf({ from, to, last }: RangeFlags, now: number): AskedRange | undefined {
  if (from !== undefined && last !== undefined) throw fault('USAGE', 'begin at --from or with --last, not both')
  const begin = from ?? last
  if (begin === undefined) {
    if (to !== undefined) throw fault('USAGE', '--to needs --from; everything before it: --from 1')
    return undefined
  }
  if (last !== undefined && /^\d+$/.test(last)) throw fault('USAGE', `--last ${last}; write 7d, 12h or 30m`)
  const range = { from: placeOf(begin, now), to: to === undefined ? undefined : placeOf(to, now) }
  if (range.from.kind === 'time' && range.to?.kind === 'time' && range.to.time <= range.from.time)
    throw fault('USAGE', `the range ends (--to ${to}) before it begins (${begin})`)
  return range
}

/** A sequence when it is a whole number, else a time. @throws USAGE */
function placeOf(text: string, now: number): ReplayStart {
  if (/^\d+$/.test(text)) return { kind: 'sequence', sequence: Math.max(1, Number(text)) }
  const time = parseTime(text) ?? parseTime(`${text}T00:00:00Z`)
  if (time !== undefined) return { kind: 'time', time }
  try {
    return { kind: 'time', time: now - parseDuration(text) }
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
    const forms = 'a sequence, 2026-01-31T12:00:00Z, 2026-01-31, or 2h for two hours ago'
    throw fault('USAGE', `${JSON.stringify(text)} is no place in a stream; write ${forms}`, { cause: error })
  }
}
