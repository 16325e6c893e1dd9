import type { Observable, SchedulerLike } from 'rxjs'
import type { StepEnvironment } from '../kernel/step-environment.js'
import type { DurableOps } from './ops/durable-ops.js'

/** How a step is tried. */
export interface StepOptions {
  /** Longest time for one attempt, on the machine’s clock: ms, or like `2s`. Default `30s`. */
  readonly timeout?: string | number
  /** Attempts altogether, with growing waits between them. Default 3. */
  readonly attempts?: number
}

/**
 * What a step does: work outside the log, at least once.
 * @param idempotencyKey the same in every attempt and after every crash, and no other step’s
 * @param signal aborted when nobody waits for the result any more, or the attempt has taken too long
 * @param environment reads buckets of the server; undefined in tests, which run without one
 */
export type StepWork<T> = (
  idempotencyKey: string,
  signal: AbortSignal,
  environment: StepEnvironment | undefined,
) => Promise<T> | T

/** What a pipeline works with beside its events. Each key has one of its own, for as long as its slot lives. */
export interface PipelineContext {
  /** The key whose events these are; empty for events without one. In mode `stateless` that of the event at hand. */
  readonly key: string
  /** Event time as an rxjs scheduler. Operators without a scheduler of their own run on it anyway. */
  readonly scheduler: SchedulerLike
  /**
   * Operators that also work in mode `checkpoint`, where no other may keep state: windows, joins, rates, and those of
   * RxJS that remember or wait. In other modes they are operators like others.
   */
  readonly ops: DurableOps
  /** Event time in ms: of the event, or when the timer was due. */
  now(): number
  /** Chance that is the same in every replay, from 0 to below 1. */
  random(): number
  /** A UUID that is the same in every replay. */
  uuid(): string
  /**
   * Work outside the log, in place of a promise: a call of another service, a model, a clock. It is started when it is
   * subscribed to, and runs at least once; its *result* is recorded and comes once, now and in every replay. Event time
   * stands still where it would fire a timer before the result is there, so that neither `timeout` nor an idle key
   * overtakes it.
   *
   * The result is what JSON makes of it, at most 512 KiB; with more the step has failed (RangeError): keep it elsewhere and
   * return where. When every attempt has failed, the observable fails with an Error that has the
   * name and message of the last one.
   */
  step<T>(name: string, work: StepWork<T>, options?: StepOptions): Observable<T>
}
