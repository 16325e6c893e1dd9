// What may happen to a job, from where it stands and nothing else. Whoever asks appends the events with the version of the
// state that he decided from; of two who decide at once, one is told to look again.
//
// Invariants (tests cite them):
//   JB1  A job takes one decision, whoever answers and how often.
//   JB2  Only the attempt that began last may complete, fail or decide; of any other one nothing counts but its bill.
//   JB3  An attempt is billed at most once, and never not at all because it came too late.
//   JB4  The same command twice is the same as once.
//   JB5  A call that was begun and has no answer is known as one that may have been billed, until its bill comes or for ever.
import type { Issue } from '../error/millrace-error.js'
import type { Billed, JobEvent, JobRequest, Lane, PromptRef } from './job-event.js'
import { evolveJob, NO_JOB, type JobState } from './job-state.js'

/** What a call has led to, as far as a job minds. */
export type AttemptEnd =
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly counts: boolean
      readonly again: number | undefined
      readonly billed: Billed | undefined
    }
  | {
      readonly kind: 'completed'
      readonly stopReason: string
      readonly text: string
      readonly billed: Billed
      readonly cached?: { readonly job: string; readonly savedTokens: number } | undefined
    }

export type JobCommand =
  | { readonly kind: 'request'; readonly request: JobRequest }
  | {
      readonly kind: 'start'
      readonly owner: string
      readonly model: string
      readonly prompt: PromptRef
      readonly estimatedTokens: number
      readonly message?: number | undefined
    }
  | {
      readonly kind: 'end'
      readonly attempt: number
      readonly requestId: string | undefined
      readonly end: AttemptEnd
    }
  | { readonly kind: 'validate'; readonly attempt: number; readonly result: unknown }
  | { readonly kind: 'invalidate'; readonly attempt: number; readonly issues: readonly Issue[] }
  | { readonly kind: 'decide'; readonly attempt: number; readonly decision: unknown }
  | { readonly kind: 'override'; readonly by: string; readonly why: string; readonly decision: unknown }
  | { readonly kind: 'demote'; readonly until: number }
  | { readonly kind: 'promote'; readonly usual: number }
  | { readonly kind: 'dead-letter'; readonly reason: string; readonly code?: string | undefined }
  | {
      readonly kind: 'redrive'
      readonly by: string
      /** How often its request has been a dead letter: what is not more than is known comes too late. */
      readonly generation?: number | undefined
      readonly input?: unknown
      readonly deadline?: number | undefined
      /** Absent: as before. */
      readonly lane?: Lane | undefined
      readonly tenant?: string | undefined
    }

/** Why nothing may happen. `done`: it has happened before. */
export type JobRefusal = 'unknown' | 'done' | 'over' | 'superseded' | 'not-yet'

export type JobVerdict =
  | { readonly kind: 'events'; readonly events: readonly JobEvent[]; readonly state: JobState }
  | { readonly kind: 'refused'; readonly why: JobRefusal }

/** The state that events lead to. @throws JOB_HISTORY_INVALID */
export function jobOf(events: Iterable<JobEvent>): JobState {
  let state: JobState = NO_JOB
  for (const event of events) state = evolveJob(state, event)
  return state
}

/** @param now in ms since the Unix epoch */
export function decideJob(state: JobState, command: JobCommand, now: number): JobVerdict {
  const events = eventsOf(state, command, now)
  if (typeof events === 'string') return { kind: 'refused', why: events }
  return { kind: 'events', events, state: events.reduce(evolveJob, state) }
}

function eventsOf(state: JobState, command: JobCommand, at: number): readonly JobEvent[] | JobRefusal {
  if (command.kind === 'request')
    return state.kind === 'none' ? [{ type: 'job.requested', at, request: command.request }] : 'done'
  if (state.kind === 'none') return 'unknown'
  switch (command.kind) {
    case 'start':
      return started(state, command, at)
    case 'end':
      return ended(state, command, at)
    case 'validate':
      return ifAt(state, 'answered', command, [
        { type: 'job.validated', at, attempt: command.attempt, result: command.result },
      ])
    case 'invalidate':
      return ifAt(state, 'answered', command, [
        { type: 'job.invalidated', at, attempt: command.attempt, issues: command.issues },
      ])
    case 'decide':
      return ifAt(state, 'valid', command, [
        { type: 'job.decided', at, attempt: command.attempt, decision: command.decision },
      ])
    case 'override': {
      const { by, why, decision } = command
      if (state.kind !== 'decided' && state.kind !== 'dead') return 'not-yet'
      return [{ type: 'job.overridden', at, by, why, decision }]
    }
    case 'demote':
      if (isOver(state)) return over(state)
      return state.account.request.lane === 'batch' ? 'done' : [{ type: 'job.demoted', at, until: command.until }]
    case 'promote':
      if (isOver(state)) return over(state)
      return state.account.promoted ? 'done' : [{ type: 'job.promoted', at, usual: command.usual }]
    case 'dead-letter': {
      const { reason, code } = command
      return isOver(state) ? over(state) : [{ type: 'job.dead-lettered', at, reason, code }]
    }
    case 'redrive':
      return redriven(state, command, at)
  }
}

function redriven(
  state: Exclude<JobState, { kind: 'none' }>,
  { by, generation, input, deadline, lane, tenant }: Extract<JobCommand, { kind: 'redrive' }>,
  at: number,
): readonly JobEvent[] | JobRefusal {
  if (state.kind === 'decided') return 'over'
  const known = generation !== undefined && generation <= state.account.generation
  if (state.kind !== 'dead' || known) return 'done'
  return [{ type: 'job.redriven', at, by, generation, input, deadline, lane, tenant }]
}

/** Also while another attempt is running: who has the message has the job. */
function started(
  state: Exclude<JobState, { kind: 'none' }>,
  { owner, model, prompt, estimatedTokens, message }: Extract<JobCommand, { kind: 'start' }>,
  at: number,
): readonly JobEvent[] | JobRefusal {
  if (isOver(state)) return 'over'
  // an answer that is there is not asked for again
  if (state.kind === 'answered' || state.kind === 'valid') return 'done'
  if (state.kind === 'waiting' && state.from !== undefined && at < state.from) return 'not-yet'
  const attempt = state.account.begun + 1
  return [
    { type: 'job.admitted', at, attempt, estimatedTokens },
    { type: 'job.attempt-started', at, attempt, owner, model, prompt, message },
  ]
}

function ended(
  state: Exclude<JobState, { kind: 'none' }>,
  { attempt, requestId, end }: Extract<JobCommand, { kind: 'end' }>,
  at: number,
): readonly JobEvent[] | JobRefusal {
  const { account } = state
  if (attempt < 1 || attempt > account.begun) return 'not-yet'
  if (state.kind === 'running' && state.attempt === attempt) {
    const place = { at, attempt, requestId }
    if (end.kind === 'completed') {
      const { stopReason, text, billed, cached } = end
      return [{ type: 'job.completed', ...place, stopReason, text, billed, cached }]
    }
    const { reason, counts, again, billed } = end
    return [{ type: 'job.attempt-failed', ...place, reason, counts, again, billed }]
  }
  const { billed } = end
  if (billed === undefined || account.billed.includes(attempt)) return attempt < account.begun ? 'superseded' : 'done'
  return [{ type: 'job.attempt-billed', at, attempt, billed }]
}

function ifAt(
  state: Exclude<JobState, { kind: 'none' }>,
  kind: 'answered' | 'valid',
  { attempt }: { readonly attempt: number },
  events: readonly JobEvent[],
): readonly JobEvent[] | JobRefusal {
  if (isOver(state)) return over(state)
  if (attempt < state.account.begun) return 'superseded'
  if (attempt > state.account.begun) return 'not-yet'
  if (state.kind === kind) return events
  return state.kind === 'valid' ? 'done' : 'not-yet'
}

function isOver({ kind }: JobState): boolean {
  return kind === 'decided' || kind === 'dead'
}

function over({ kind }: JobState): JobRefusal {
  return kind === 'dead' ? 'over' : 'done'
}
