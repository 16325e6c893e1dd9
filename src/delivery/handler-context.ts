import type { StoredEvent } from '../event/event.js'
import type { Log } from '../observe/log.js'
import type { Origin } from './origin.js'

/** An earlier attempt at an event. */
export interface FormerAttempt {
  /** In ms since the Unix epoch. */
  readonly at: number
  /** Code of the error that it ended with. */
  readonly code: string
}

/** What a handler is told about one event beside the event. */
export interface Attempt {
  /** From 1; what was interrupted by the end of its process does not count. */
  readonly attempt: number
  /** The attempts before this one, oldest first; the first ones give way when there are many. */
  readonly attempts: readonly FormerAttempt[]
  /** How often it was a dead letter that came back: alone, or with its parked key. One that only waited behind it was none. */
  readonly generation: number
  readonly key: string | undefined
  /** What tells the event from any other: its source and its id. */
  readonly messageId: string
  /** The same for each attempt, delivery and redrive of this event with this handler: 32 hexadecimal digits. */
  readonly idempotencyKey: string
}

/** What a handler is told about its run. */
export interface RunContext {
  /** Aborted at the timeout, and when the process has waited long enough for it to end. */
  readonly signal: AbortSignal
  readonly log: Log
  /** Name of the lane that the event came by; `default` without lanes. */
  readonly lane: string
  /** When the run times out, in ms since the Unix epoch. */
  readonly deadline: number
}

export interface HandlerContext extends Attempt, RunContext {
  /** Where the event was published, however often it was put off since. Absent where the order of keys is kept. */
  readonly origin?: Origin
}

/** For several events at once: `of` says of one of them what HandlerContext says of the only one. */
export interface BatchContext extends RunContext {
  of(event: StoredEvent): Attempt
  /** Says that one of them has failed: it alone is recovered; the others are done when the handler ends well. */
  fail(event: StoredEvent, error: unknown): void
}
