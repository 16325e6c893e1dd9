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
    }
  /** An attempt that had been given up was billed all the same. */
  | { readonly type: 'job.attempt-billed'; readonly at: number; readonly attempt: number; readonly billed: Billed }
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
  | { readonly type: 'job.dead-lettered'; readonly at: number; readonly reason: string }
  | { readonly type: 'job.redriven'; readonly at: number; readonly by: string }
