// DecideAgain
//
// Recorded calls: a job decided anew from what its log says of them. Nothing is asked and nothing is written.
//
// Invariants (tests cite them):
//   RD1  With the schema that it was decided with, a job comes to what is recorded of it, whatever failed on the way.
import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { decideJob } from './decide-job.js'
import type { JobEvent } from './job-event.js'
import { evolveJob, NO_JOB, type JobState } from './job-state.js'
import { judgeAnswer } from './worker/judge-answer.js'

/** What was decided about answers, and not what happened: it is decided anew. */
const JUDGEMENTS: ReadonlySet<string> = new Set<JobEvent['type']>([
  'job.validated',
  'job.invalidated',
  'job.decided',
  'job.overridden',
])
/** Of dead letters that answers have led to. */
const JUDGED_CODES: readonly unknown[] = ['JOB_DECLINED', 'JOB_TRUNCATED', 'JOB_OUTPUT_INVALID']

/**
 * Decides a job again, from the calls that were recorded of it: nothing is asked, and the same events and schema lead to the
 * same. What a human has decided is left out. Pure.
 * @returns where the job would stand; one that is not over would ask again
 * @throws JOB_HISTORY_INVALID
 */
export function decideAgain(schema: z.ZodType, events: Iterable<JobEvent>): JobState {
  let state: JobState = NO_JOB
  let isAnswered = false
  for (const event of events) {
    // what was asked after it would not have been asked
    if (state.kind === 'decided') break
    if (state.kind === 'dead' && event.type !== 'job.redriven') continue
    if (JUDGEMENTS.has(event.type)) continue
    // an answer that was too large to be stored is none that could be judged
    if (event.type === 'job.dead-lettered' && isAnswered && JUDGED_CODES.includes(event.code)) continue
    if (event.type === 'job.completed' || event.type === 'job.attempt-failed')
      isAnswered = event.type === 'job.completed'
    state = judged(schema, evolveJob(state, event), event.at)
  }
  return state
}

/** An answer is judged as a worker does. */
function judged(schema: z.ZodType, state: JobState, at: number): JobState {
  if (state.kind !== 'answered') return state
  let judgedState: JobState = state
  for (const command of judgeAnswer(schema, state)) {
    const verdict = decideJob(judgedState, command, at)
    if (verdict.kind === 'events') judgedState = verdict.state
  }
  return judgedState
}

/** What a job has come to. `open`: it is not over. */
export type JobOutcome =
  | { readonly kind: 'decided'; readonly decision: unknown }
  | { readonly kind: 'dead'; readonly code: string | undefined; readonly reason: string }
  | { readonly kind: 'open' }

export function outcomeOf(state: JobState): JobOutcome {
  if (state.kind === 'decided') return { kind: 'decided', decision: state.decision }
  if (state.kind === 'dead') return { kind: 'dead', code: state.code, reason: state.reason }
  return { kind: 'open' }
}

/** What the job itself came to, before any human. @throws JOB_HISTORY_INVALID */
export function ownOutcomeOf(events: readonly JobEvent[]): JobOutcome {
  let state: JobState = NO_JOB
  for (const event of events) if (event.type !== 'job.overridden') state = evolveJob(state, event)
  return outcomeOf(state)
}

/** How a new outcome compares with an old one. `failed`: the new one is no decision; `open`: there is none to compare. */
export type OutcomeVerdict = 'same' | 'changed' | 'failed' | 'open'

export function compareOutcomes(old: JobOutcome, now: JobOutcome): OutcomeVerdict {
  if (now.kind === 'open') return 'open'
  if (now.kind === 'dead') return old.kind === 'dead' && old.code === now.code ? 'same' : 'failed'
  // as they are stored: what has no form in JSON makes no difference
  return old.kind === 'decided' && isDeepStrictEqual(plain(old.decision), plain(now.decision)) ? 'same' : 'changed'
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null))
}
