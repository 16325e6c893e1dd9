import { fault, isFault } from '../../error/millrace-error.js'
import { parseTime } from '../../event/rfc3339.js'
import type { Pace } from '../../replay/pace.js'
import type { ReplayStart } from '../../replay/replay-range.js'
import { parseDuration } from '../../time/duration.js'

/** The options of `millrace replay`, as commander reads them. */
export interface ReplayFlags {
  readonly stream?: string
  readonly fromSeq?: number
  readonly fromTime?: string
  readonly toSeq?: number
  readonly type?: readonly string[]
  readonly limit?: number
  readonly follow?: boolean
  readonly speed: string
  readonly speedBy: 'stored' | 'event'
  readonly pipeline?: string
  readonly rule?: string
  readonly compare?: boolean
  readonly toSubject?: string
  readonly out?: string
  readonly append?: boolean
}

/** @throws USAGE naming the options that do not go together */
export function checkFlags(flags: ReplayFlags): void {
  const { pipeline, rule, toSubject, out } = flags
  const isDryRun = pipeline !== undefined || rule !== undefined
  const refuse = (condition: boolean, detail: string): void => {
    if (condition) throw fault('USAGE', detail)
  }
  refuse(pipeline !== undefined && rule !== undefined, 'run --pipeline or --rule, one at a time')
  refuse(!isDryRun && flags.stream === undefined, 'name the --stream')
  refuse(isDryRun && toSubject !== undefined, 'a dry run publishes nothing: leave out --to-subject')
  refuse(isDryRun && flags.type !== undefined, 'a pipeline or rule says itself which types it reads: leave out --type')
  refuse(flags.compare === true && !isDryRun, '--compare needs --pipeline or --rule')
  refuse(flags.compare === true && flags.follow === true, '--compare needs an end: leave out --follow')
  refuse(out !== undefined && toSubject !== undefined, 'replay to a file or to a subject, one at a time')
  refuse(flags.append === true && out === undefined, '--append needs --out')
  refuse(flags.follow === true && flags.toSeq !== undefined, 'a replay that follows has no end: leave out --to-seq')
}

/**
 * Where to begin.
 * @param now in ms since the epoch: a duration is a time before it
 * @throws USAGE, REPLAY_RANGE_INVALID
 */
export function startOf({ fromSeq, fromTime }: ReplayFlags, now: number): ReplayStart {
  if (fromSeq !== undefined && fromTime !== undefined)
    throw fault('USAGE', 'begin at --from-seq or --from-time, not at both')
  if (fromSeq !== undefined) return { kind: 'sequence', sequence: fromSeq }
  if (fromTime === undefined) throw fault('REPLAY_RANGE_INVALID', 'where to begin is missing; all of it: --from-seq 1')
  return { kind: 'time', time: timeOf(fromTime, now) }
}

function timeOf(text: string, now: number): number {
  const time = parseTime(text) ?? parseTime(`${text}T00:00:00Z`)
  if (time !== undefined) return time
  try {
    return now - parseDuration(text)
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
    const detail = `--from-time ${JSON.stringify(text)}; write 2026-01-31T12:00:00Z, 2026-01-31, or 2h for two hours ago`
    throw fault('REPLAY_RANGE_INVALID', detail, { cause: error })
  }
}

/** @throws USAGE */
export function paceOf({ speed, speedBy }: ReplayFlags): Pace {
  if (speed === 'max') return { kind: 'max' }
  const factor = /^(\d+(?:\.\d+)?)x?$/.exec(speed)?.[1]
  if (factor === undefined || Number(factor) === 0)
    throw fault('USAGE', `--speed ${JSON.stringify(speed)}; write max, 10x or 0.5x`)
  return { kind: 'factor', factor: Number(factor), by: speedBy }
}
