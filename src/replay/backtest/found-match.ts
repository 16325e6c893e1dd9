import type { Match } from '../../cep/engine/match.js'
import type { StoredEvent } from '../../event/event.js'
import { formatTime, isWritableTime } from '../../event/rfc3339.js'
import type { Emitted } from './emitted.js'

/** A match of the range, and the event that it becomes. */
export interface FoundMatch {
  readonly match: Match
  readonly emitted: Emitted
  /** Sequence of the message that it was found with; the last of the range when only time passed after it. */
  readonly at: number
}

/** An event as it is named in a report. */
export interface EventReport {
  readonly type: string
  readonly id: string
  readonly sequence: number
  readonly time: string
  readonly data: unknown
}

/** A match as data that JSON can carry. */
export interface MatchReport {
  readonly key: string
  /** When it became certain, in event time. */
  readonly time: string
  readonly from: string
  readonly to: string
  readonly stages: Readonly<Record<string, readonly EventReport[]>>
  readonly values?: Readonly<Record<string, unknown>>
  /** What it emits; `problem` says why it cannot, and live it would be a dead letter. */
  readonly emits: { readonly type: string; readonly key: string | null; readonly data: unknown } | null
  readonly problem: string | null
}

export function matchReport({ match, emitted }: FoundMatch): MatchReport {
  const { key, time, first, last, stages, values } = match
  return {
    key,
    time: text(time),
    from: text(first.time),
    to: text(last.time),
    stages: Object.fromEntries(Object.entries(stages).map(([name, events]) => [name, events.map(eventReport)])),
    ...(values === undefined ? {} : { values }),
    emits:
      'event' in emitted
        ? { type: emitted.event.type, key: emitted.event.key ?? null, data: emitted.event.data }
        : null,
    problem: 'problem' in emitted ? emitted.problem : null,
  }
}

export function eventReport({ type, id, sequence, time, data }: StoredEvent): EventReport {
  return { type, id, sequence, time: text(time), data }
}

/** A time in ms for people and machines; one that no date can have stays a number. */
export function text(ms: number): string {
  return isWritableTime(ms) ? formatTime(ms) : `${ms} ms`
}
