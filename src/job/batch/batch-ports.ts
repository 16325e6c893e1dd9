import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { BilledCallOf } from '../admission.js'
import type { AnswerCache } from '../answer-cache.js'
import type { JobEvent } from '../job-event.js'
import type { BilledCall } from '../model-call.js'
import type { JobCause } from '../take-request.js'
import type { JobPlace } from '../worker/work-ports.js'
import type { BatchClient } from './batch-client.js'
import type { BatchEvent } from './batch-event.js'
import type { BatchRules } from './batch-rules.js'
import type { BatchState } from './batch-state.js'
import type { BatchTimes } from './batch-times.js'

/** A record of a job that is stored together with that of a batch. */
export interface JobRecord {
  readonly id: string
  /** That the job has to have before. */
  readonly version: number
  readonly events: readonly JobEvent[]
  readonly cause: JobCause
}

/** Where batches are recorded, beside the jobs. */
export interface BatchLog {
  read(id: string): Promise<{ readonly state: BatchState; readonly version: number }>
  /** @returns false: it has another version */
  append(id: string, version: number, events: readonly BatchEvent[]): Promise<boolean>
  /** A new batch and its jobs, all or none. @returns false: one of them has another version */
  collect(id: string, event: BatchEvent, jobs: readonly JobRecord[]): Promise<boolean>
}

/** What has batches looked at. */
export interface BatchLooks {
  /**
   * Has a batch looked at by somebody, at a time.
   * @param copy of which look it follows: the same is stored once
   * @param at in ms since the Unix epoch, by the clock of the server
   */
  at(batch: string, copy: string, at: number): Promise<void>
}

/** What the batches of one context take. */
export interface BatchPorts {
  readonly client: BatchClient
  readonly place: JobPlace
  readonly batches: BatchLog
  readonly looks: BatchLooks
  /** Counts what was billed, once for each job and attempt; undefined: nothing was. @returns billionths of the currency; undefined: no price */
  readonly bill: (call: BilledCallOf, billed: BilledCall | undefined) => Promise<number | undefined>
  /** Where answers are kept for others. Absent: nowhere. */
  readonly cache?: AnswerCache | undefined
  readonly rules: BatchRules
  readonly times: BatchTimes
  readonly clock: Clock
  readonly log: Log
  /** From 0 to below 1. */
  readonly chance: () => number
  /** In ms since the Unix epoch, by the clock of the server. */
  readonly now: () => number
  readonly newId: () => string
  /** Ends everything; what is open is taken up by another process. */
  readonly signal: AbortSignal
}
