import type { Judgement, NoAlarm } from '../../cep/detect/judgement.js'
import { formatDuration } from '../../time/duration.js'
import { eventReport, text, type EventReport } from '../backtest/found-match.js'

/** What a detector made of one value. */
export interface ReadingReport {
  /** For a silence: the last event before it. */
  readonly event: EventReport
  readonly time: string
  /** null: nothing came, and that is the finding. */
  readonly value: number | readonly number[] | null
  /** null: too little was known for one. */
  readonly score: number | null
  readonly threshold: number
  readonly expected: number | null
  readonly lower: number | null
  readonly upper: number | null
  readonly alarm: boolean
  readonly why: string
}

export function readingReport({ event, time, value, score, threshold, no }: Judgement): ReadingReport {
  return {
    event: eventReport(event),
    time: text(time),
    value,
    score: score?.score ?? null,
    threshold,
    expected: score?.expected ?? null,
    lower: score?.lower ?? null,
    upper: score?.upper ?? null,
    alarm: no === undefined,
    why: no === undefined ? 'an alarm' : inWords(no, time),
  }
}

function inWords(no: NoAlarm, time: number): string {
  switch (no.kind) {
    case 'no-score':
      return 'too little is known of this key for a score'
    case 'in-line':
      return 'in line with what was expected'
    case 'other-side':
      return 'out of line, on the side that does not count (side)'
    case 'too-few':
      return `out of line, ${no.row} in a row where ${no.persist} are asked for (persist)`
    case 'warm-up':
      return `out of line, as value ${no.seen} of the ${no.warmUp} that bring no alarm (warmUp)`
    case 'told':
      return `out of line, as it was at the alarm of ${text(no.since)}, which goes on until it is back in line (clear)`
    case 'cool-down':
      return `out of line, ${formatDuration(no.until - time)} before another alarm may come (coolDown)`
  }
}
