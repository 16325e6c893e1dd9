import type { Origin } from '../delivery/origin.js'
import type { Issue } from '../error/millrace-error.js'
import type { Usage } from './usage.js'

// What happens to a job, as it is on the log. Times in ms since the Unix epoch.

export const LANES = ['urgent', 'standard', 'batch'] as const
export type Lane = (typeof LANES)[number]

export function isLane(value: unknown): value is Lane {
  return LANES.some((lane) => lane === value)
}

/** Which prompt a job was asked with. */
export interface PromptRef {
  readonly id: string
  readonly version: number
  readonly hash: string
}

/** The event that requested a job: where it is, and what it takes to make it again when its stream has forgotten it. */
export interface JobOrigin extends Origin {
  readonly type: string
  readonly version: number
  readonly source: string
  readonly time: number
  readonly key: string | undefined
  readonly correlationId: string | undefined
  /** How often it had been a dead letter before it became a job. */
  readonly generation: number
}

/** What somebody wants to have done. Its id is that of the request event. */
export interface JobRequest {
  readonly id: string
  /** Of the declaration. */
  readonly name: string
  readonly lane: Lane
  readonly tenant: string
  readonly input: unknown
  /** Events that it was made of. */
  readonly inputEvents: readonly string[]
  readonly deadline: number | undefined
  /** Absent: it was requested before origins were recorded. */
  readonly origin?: JobOrigin | undefined
}

/** What a call was billed. */
export interface Billed {
  readonly usage: Usage
  /** Billionths of the currency; undefined: there was no price. */
  readonly nanos: number | undefined
  /** Whether the output was counted here, as the answer broke off before it said. */
  readonly estimated: boolean
}

export type JobEvent =
  | { readonly type: 'job.requested'; readonly at: number; readonly request: JobRequest }
  | { readonly type: 'job.admitted'; readonly at: number; readonly attempt: number; readonly estimatedTokens: number }
  | {
      readonly type: 'job.attempt-started'
      readonly at: number
      readonly attempt: number
      readonly owner: string
      readonly model: string
      readonly prompt: PromptRef
      /** Sequence of the message of the queue that it was begun for. */
      readonly message?: number | undefined
    }
  | {
      readonly type: 'job.attempt-failed'
      readonly at: number
      readonly attempt: number
      readonly reason: string
      /** Whether it is one of the attempts that a job has; a wait that was asked for is none. */
      readonly counts: boolean
      readonly again: number | undefined
      readonly requestId: string | undefined
      readonly billed: Billed | undefined
    }
  | {
      readonly type: 'job.completed'
      readonly at: number
      readonly attempt: number
      readonly requestId: string | undefined
      readonly stopReason: string
      readonly text: string
      readonly billed: Billed
      /** It was not asked: another job has had this answer. */
      readonly cached?: { readonly job: string; readonly savedTokens: number } | undefined
    }
  /** An attempt that had been given up was billed all the same. */
  | { readonly type: 'job.attempt-billed'; readonly at: number; readonly attempt: number; readonly billed: Billed }
  /** To the lane `batch`: its tenant has used up what it should. */
  | { readonly type: 'job.demoted'; readonly at: number; readonly until: number }
  /** Out of the lane `batch`, to be done one by one: its deadline is nearer than what batches take, in ms. */
  | { readonly type: 'job.promoted'; readonly at: number; readonly usual: number }
  | { readonly type: 'job.validated'; readonly at: number; readonly attempt: number; readonly result: unknown }
  | {
      readonly type: 'job.invalidated'
      readonly at: number
      readonly attempt: number
      readonly issues: readonly Issue[]
    }
  | { readonly type: 'job.decided'; readonly at: number; readonly attempt: number; readonly decision: unknown }
  | {
      readonly type: 'job.overridden'
      readonly at: number
      readonly by: string
      readonly why: string
      readonly decision: unknown
    }
  | {
      readonly type: 'job.dead-lettered'
      readonly at: number
      readonly reason: string
      /** Of the catalogue; that of its dead letter. */
      readonly code?: string | undefined
    }
  | {
      readonly type: 'job.redriven'
      readonly at: number
      readonly by: string
      /** How often its request has been a dead letter. */
      readonly generation?: number | undefined
      /** Where the event that came back says something else. */
      readonly input?: unknown
      readonly deadline?: number | undefined
      /** As the request says now. Absent: as before. */
      readonly lane?: Lane | undefined
      readonly tenant?: string | undefined
    }
