import { Collector } from '../engine/collector.js'
import type { Executable, Executor } from '../engine/executor.js'
import type { Match, Timeout } from '../engine/match.js'
import type { StoredEvent } from '../../event/event.js'
import { executableAround, ExecutorAround } from './executor-around.js'

/** `values` of a match that stands for a partial match whose window closed. */
export const TIMED_OUT = { outcome: 'timeout' } as const

export function isTimeout(match: Match): boolean {
  return match.values?.['outcome'] === TIMED_OUT.outcome
}

interface ReportState {
  readonly inner: unknown
  readonly time: number | null
}

/**
 * The same executable, where a partial match whose window closed is put out as a match too, so that something can be
 * emitted for it. @param within window of the whole, in ms
 */
export function reportingTimeouts(inner: Executable, within: number): Executable {
  return executableAround(inner, 'timeouts', (changed) => ({
    start: (out, state, trace) => {
      const saved = state as ReportState | undefined
      return new ReportingExecutor(
        changed.start(new Reporter(out), saved?.inner, trace),
        within,
        saved?.time ?? -Infinity,
      )
    },
  }))
}

class ReportingExecutor extends ExecutorAround {
  readonly #within: number
  #time: number

  constructor(inner: Executor, within: number, time: number) {
    super(inner)
    this.#within = within
    this.#time = time
  }

  override take(event: StoredEvent, key: string): void {
    this.#time = event.time
    this.inner.take(event, key)
  }

  override passTime(time: number): void {
    this.#time = time
    this.inner.passTime(time)
  }

  /** A partial match runs out of time, or of that between two of its events: then there may be something to report. */
  override get due(): number {
    const ends = this.inner.closes ?? this.inner.horizon + this.#within
    return ends > this.#time ? Math.min(this.inner.due, ends) : this.inner.due
  }

  override get wakes(): number {
    return Math.min(super.wakes, this.due)
  }

  override snapshot(): ReportState {
    return { inner: this.inner.snapshot(), time: this.#time === -Infinity ? null : this.#time }
  }
}

/** Puts a timeout out as both. */
class Reporter extends Collector {
  readonly #out: Collector

  constructor(out: Collector) {
    super(Infinity)
    this.#out = out
  }

  override get isFull(): boolean {
    return this.#out.isFull
  }

  override get isFullOfTimeouts(): boolean {
    return this.#out.isFullOfTimeouts
  }

  override match(match: Match): void {
    this.#out.match(match)
  }

  override drop(matches: number): void {
    this.#out.drop(matches)
  }

  override timeout(timeout: Timeout): void {
    this.#out.timeout(timeout)
    const { key, stages, events, first, last, time } = timeout
    this.#out.match({ kind: 'match', key, stages, events, first, last, time, values: TIMED_OUT })
  }

  override late(event: StoredEvent): void {
    this.#out.late(event)
  }
}
