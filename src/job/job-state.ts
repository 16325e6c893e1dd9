import { fault } from '../error/millrace-error.js'
import type { Billed, JobEvent, JobRequest } from './job-event.js'
import { inputOf } from './usage.js'

/** What is known of a job wherever it stands. */
export interface JobAccount {
  readonly request: JobRequest
  /** Number of the last attempt that began. */
  readonly begun: number
  /** Attempts that failed and count, since the job was last redriven. */
  readonly counted: number
  /** Answers that were not what the schema says, since then. */
  readonly invalid: number
  /** Attempts that were billed. */
  readonly billed: readonly number[]
  readonly inputTokens: number
  readonly outputTokens: number
  /** Billionths of the currency. */
  readonly nanos: number
}

/** Where a job stands. What has no account does not exist. */
export type JobState =
  | { readonly kind: 'none' }
  /** Until `from`; undefined: it may begin. */
  | { readonly kind: 'waiting'; readonly account: JobAccount; readonly from: number | undefined }
  | { readonly kind: 'admitted'; readonly account: JobAccount; readonly attempt: number }
  | { readonly kind: 'running'; readonly account: JobAccount; readonly attempt: number; readonly owner: string }
  | { readonly kind: 'answered'; readonly account: JobAccount; readonly attempt: number; readonly text: string }
  | { readonly kind: 'valid'; readonly account: JobAccount; readonly attempt: number; readonly result: unknown }
  | {
      readonly kind: 'decided'
      readonly account: JobAccount
      readonly decision: unknown
      /** undefined: by the job. */
      readonly overriddenBy: string | undefined
    }
  | { readonly kind: 'dead'; readonly account: JobAccount; readonly reason: string }

export const NO_JOB: JobState = Object.freeze({ kind: 'none' })

/**
 * A job after one more event. Pure; the events of a job, one after the other, are its state.
 * @throws JOB_HISTORY_INVALID the event cannot follow
 */
export function evolveJob(state: JobState, event: JobEvent): JobState {
  if (event.type === 'job.requested') {
    if (state.kind !== 'none') return impossible(state, event)
    return { kind: 'waiting', account: newAccount(event.request), from: undefined }
  }
  if (state.kind === 'none') return impossible(state, event)
  const { account } = state
  switch (event.type) {
    case 'job.admitted':
      return { kind: 'admitted', account, attempt: event.attempt }
    case 'job.attempt-started':
      if (event.attempt !== account.begun + 1) return impossible(state, event)
      return {
        kind: 'running',
        attempt: event.attempt,
        owner: event.owner,
        account: { ...account, begun: event.attempt },
      }
    case 'job.attempt-failed': {
      const counted = account.counted + (event.counts ? 1 : 0)
      return { kind: 'waiting', account: withBill({ ...account, counted }, event), from: event.again }
    }
    case 'job.completed':
      return { kind: 'answered', attempt: event.attempt, text: event.text, account: withBill(account, event) }
    case 'job.attempt-billed':
      return { ...state, account: withBill(account, event) }
    case 'job.validated':
      return { kind: 'valid', account, attempt: event.attempt, result: event.result }
    case 'job.invalidated':
      return { kind: 'waiting', account: { ...account, invalid: account.invalid + 1 }, from: undefined }
    case 'job.decided':
      if (state.kind === 'decided') return impossible(state, event)
      return { kind: 'decided', account, decision: event.decision, overriddenBy: undefined }
    case 'job.overridden':
      return { kind: 'decided', account, decision: event.decision, overriddenBy: event.by }
    case 'job.dead-lettered':
      return { kind: 'dead', account, reason: event.reason }
    case 'job.redriven':
      return { kind: 'waiting', account: { ...account, counted: 0, invalid: 0 }, from: undefined }
  }
}

function newAccount(request: JobRequest): JobAccount {
  return { request, begun: 0, counted: 0, invalid: 0, billed: [], inputTokens: 0, outputTokens: 0, nanos: 0 }
}

/** An attempt is billed once. @throws JOB_HISTORY_INVALID */
function withBill(
  account: JobAccount,
  { attempt, billed }: { readonly attempt: number; readonly billed: Billed | undefined },
): JobAccount {
  if (billed === undefined) return account
  if (account.billed.includes(attempt))
    throw fault('JOB_HISTORY_INVALID', `${account.request.id}: attempt ${attempt} is billed twice`)
  return {
    ...account,
    billed: [...account.billed, attempt],
    inputTokens: account.inputTokens + inputOf(billed.usage),
    outputTokens: account.outputTokens + billed.usage.output,
    nanos: account.nanos + (billed.nanos ?? 0),
  }
}

function impossible(state: JobState, { type }: JobEvent): never {
  const id = state.kind === 'none' ? 'a job' : state.account.request.id
  throw fault('JOB_HISTORY_INVALID', `${id} is ${state.kind}, and ${type} follows`)
}
