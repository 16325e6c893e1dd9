import { fault } from '../../error/millrace-error.js'
import type { BatchedJob, BatchEvent } from './batch-event.js'

/** Where a batch stands. Times in ms since the Unix epoch. */
export type BatchState =
  | { readonly kind: 'none' }
  /** It is being sent, or whoever did so was ended: nobody knows whether the provider has it. */
  | { readonly kind: 'collected'; readonly at: number; readonly jobs: readonly BatchedJob[] }
  | {
      readonly kind: 'submitted'
      readonly at: number
      readonly jobs: readonly BatchedJob[]
      readonly provider: string
      /** It was given up before, and its jobs have gone on: only its bills count. */
      readonly stray: boolean
    }
  | {
      readonly kind: 'dropped'
      readonly jobs: readonly BatchedJob[]
      readonly reason: string
      readonly again: number
      readonly lane: 'standard' | 'batch'
    }
  | { readonly kind: 'settled'; readonly jobs: readonly BatchedJob[]; readonly dropped: boolean }

export const NO_BATCH: BatchState = Object.freeze({ kind: 'none' })

/** A batch after one more event. Pure. @throws JOB_HISTORY_INVALID the event cannot follow */
export function evolveBatch(state: BatchState, event: BatchEvent): BatchState {
  switch (event.type) {
    case 'batch.collected':
      if (state.kind === 'none') return { kind: 'collected', at: event.at, jobs: event.jobs }
      break
    case 'batch.submitted': {
      const { at, provider } = event
      if (state.kind === 'collected') return { kind: 'submitted', at, provider, jobs: state.jobs, stray: false }
      const given = state.kind === 'dropped' || (state.kind === 'settled' && state.dropped)
      if (given) return { kind: 'submitted', at, provider, jobs: state.jobs, stray: true }
      break
    }
    case 'batch.dropped': {
      const { reason, again, lane } = event
      if (state.kind === 'collected' || state.kind === 'submitted')
        return { kind: 'dropped', jobs: state.jobs, reason, again, lane }
      break
    }
    case 'batch.settled':
      if (state.kind === 'submitted' || state.kind === 'dropped')
        return { kind: 'settled', jobs: state.jobs, dropped: state.kind === 'dropped' }
  }
  throw fault('JOB_HISTORY_INVALID', `a batch is ${state.kind}, and ${event.type} follows`)
}

/** The state that events lead to. @throws JOB_HISTORY_INVALID */
export function batchOf(events: Iterable<BatchEvent>): BatchState {
  let state: BatchState = NO_BATCH
  for (const event of events) state = evolveBatch(state, event)
  return state
}

/** Whether the job’s attempt is still that of the batch: nobody else may begin another one. */
export function holds(state: BatchState, job: string, attempt: number): boolean {
  if (state.kind === 'none' || state.kind === 'settled') return false
  return state.jobs.some((one) => one.id === job && one.attempt === attempt)
}
