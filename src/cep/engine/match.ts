import type { StoredEvent } from '../../event/event.js'

/** Events of a match or of a partial match that ran out of time. */
export interface Found {
  readonly key: string
  /** For each stage that took any, its events in order. For a correlation, its sides are the stages. */
  readonly stages: Readonly<Record<string, readonly StoredEvent[]>>
  /** All events in order. Of an aggregation, the first and the last of the window. */
  readonly events: readonly StoredEvent[]
  readonly first: StoredEvent
  readonly last: StoredEvent
  /**
   * When it became certain, in event time: the time of the last event, of the event after it when the pattern ends in
   * a strict `not`, or the end of the window when it ends in a relaxed one. For a timeout: the end of the window.
   */
  readonly time: number
}

export interface Match extends Found {
  readonly kind: 'match'
  /** What was computed: the outcome of a correlation, the results of an aggregation, the score of a detector. */
  readonly values?: Readonly<Record<string, unknown>>
}

export interface Timeout extends Found {
  readonly kind: 'timeout'
  /** In how many ways it could have gone on. Flink reports it that many times, Millrace once. */
  readonly ways: number
}
