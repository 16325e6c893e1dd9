import type { StoredEvent } from '../../event/event.js'

/** What an engine counts. Part of its snapshot, so that the counts go on after a restore. */
export interface EngineCounters {
  readonly events: number
  readonly matches: number
  readonly timeouts: number
  readonly late: number
  /** Events behind the time reached that were taken at that time, by grace. */
  readonly raised: number
  /** Events that had no room to wait for late ones, and were let through before their time. */
  readonly releasedEarly: number
  readonly evaluationErrors: number
  /** The first conditions that could not be evaluated: event id, place, why. */
  readonly errorSamples: readonly string[]
  /** Matches dropped because one advance brought too many. */
  readonly droppedMatches: number
  /** What else bounds made the executor drop, by name: partial matches, keys, windows. */
  readonly dropped: Readonly<Record<string, number>>
}

/** An engine's whole state as plain data. */
export interface EngineSnapshot {
  readonly format: 2
  readonly signature: string
  readonly clock: number | null
  /** Events that wait for late ones: [event, key, order of arrival]. */
  readonly waiting: readonly (readonly [StoredEvent, string, number])[]
  readonly counters: Omit<EngineCounters, 'evaluationErrors' | 'errorSamples' | 'dropped'>
  /** The executor's own. */
  readonly state: unknown
}
