import type { ErrorCode } from '../../error/catalogue.js'
import { batchOfOwner } from '../batch/batch-owner.js'
import type { JobAccount, JobState } from '../job-state.js'

type At<Kind extends JobState['kind']> = Extract<JobState, { kind: Kind }>

/** What is to be done for a message of the queue. */
export type NextStep =
  /** Nobody knows of the job. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'over' }
  | { readonly kind: 'letter'; readonly state: At<'dead'> }
  | { readonly kind: 'wait'; readonly at: number; readonly account: JobAccount }
  /** Its attempt was begun for another message: that one has it, as long as it is there. */
  | { readonly kind: 'elsewhere'; readonly message: number; readonly account: JobAccount }
  /** Its attempt is in a batch: that one has it, until it is settled. */
  | { readonly kind: 'batched'; readonly batch: string; readonly state: At<'running'> }
  | { readonly kind: 'give-up'; readonly code: ErrorCode; readonly reason: string }
  | { readonly kind: 'judge'; readonly state: At<'answered'> }
  | { readonly kind: 'decide'; readonly state: At<'valid'> }
  | { readonly kind: 'ask'; readonly account: JobAccount }

/** Processes that may end in the middle of a job’s call: each has paid for it. */
export const MOST_LOST = 10

/** So often is a job told to wait: each time is on its log, which is read each time. */
export const MOST_WAITS = 1_000

/**
 * What a job needs, from its history alone.
 * @param message sequence of the message of the queue
 * @param now in ms since the Unix epoch
 */
export function nextStep(
  state: JobState,
  { message, now }: { readonly message: number; readonly now: number },
): NextStep {
  switch (state.kind) {
    case 'none':
      return { kind: 'unknown' }
    case 'decided':
      return { kind: 'over' }
    case 'dead':
      return { kind: 'letter', state }
    // it is paid: that its time is over is no reason to throw it away
    case 'answered':
      return { kind: 'judge', state }
    case 'valid':
      return { kind: 'decide', state }
  }
  const { account } = state
  const batch = state.kind === 'running' ? batchOfOwner(state.owner) : undefined
  if (state.kind === 'running' && batch !== undefined) return { kind: 'batched', batch, state }
  if (state.kind === 'running' && state.message !== undefined && state.message !== message)
    return { kind: 'elsewhere', message: state.message, account }
  return beginning(state, now)
}

/** What a job needs whose attempt may begin. */
export function beginning(state: At<'waiting' | 'admitted' | 'running'>, now: number): NextStep {
  const { account } = state
  const { deadline } = account.request
  if (deadline !== undefined && now > deadline)
    return {
      kind: 'give-up',
      code: 'JOB_DEADLINE_OVER',
      reason: `its deadline was ${new Date(deadline).toISOString()}`,
    }
  const lost = account.lost + (state.kind === 'running' ? 1 : 0)
  if (lost >= MOST_LOST)
    return { kind: 'give-up', code: 'JOB_CRASHED', reason: `${lost} processes have ended in the middle of it` }
  if (account.waits >= MOST_WAITS)
    return { kind: 'give-up', code: 'JOB_EXHAUSTED', reason: `the provider has told it ${MOST_WAITS} times to wait` }
  if (state.kind === 'waiting' && state.from !== undefined && state.from > now)
    return { kind: 'wait', at: Math.min(state.from, (deadline ?? Number.POSITIVE_INFINITY) + 1), account }
  return { kind: 'ask', account }
}
