import { fault } from '../error/millrace-error.js'
import type { Issue } from '../error/millrace-error.js'
import { batchOfOwner } from './batch/batch-owner.js'
import { toldToWait } from './classify-failure.js'
import type { Billed, JobEvent, JobRequest } from './job-event.js'
import { inputOf } from './usage.js'

/** What is known of a job wherever it stands. */
export interface JobAccount {
  readonly request: JobRequest
  /** Number of the last attempt that began. */
  readonly begun: number
  /** Attempts that failed and count, since the job was last redriven. */
  readonly counted: number
  /** Attempts that the provider told to wait, since then. */
  readonly waits: number
  /** Answers that were not what the schema says, since then. */
  readonly invalid: number
  /** The last of them, and what was wrong with it. */
  readonly repair: { readonly text: string; readonly issues: readonly Issue[] } | undefined
  /** Attempts that began and never ended, since then: their processes were killed, or lost the job. */
  readonly lost: number
  /** Whether it is done one by one, though of the lane `batch`, since then. */
  readonly promoted: boolean
  /** How often its request has been a dead letter. */
  readonly generation: number
  /** Tokens that the last attempt that was admitted may take; 0: it makes no call. */
  readonly estimated: number
  /** Calls that ended without an answer, or whose processes did, before their bills were known: nobody here knows what they were. */
  readonly unknown: readonly UnknownBill[]
  /** Attempts that were billed. */
  readonly billed: readonly number[]
  readonly inputTokens: number
  readonly outputTokens: number
  /** Billionths of the currency. */
  readonly nanos: number
  /** Attempts that were billed while there was no price: of them `nanos` has nothing. */
  readonly unpriced: number
}

/** A call that may have been billed. */
export interface UnknownBill {
  readonly attempt: number
  /** At the most. */
  readonly tokens: number
}

/** Why no answer came, or none to its end, while the other side may have been at work on it. */
const UNHEARD: ReadonlySet<string> = new Set([
  'lost',
  'aborted',
  'idle',
  'timeout',
  'connection',
  'stream-broken',
  'stream-cut',
])

/** Where a job stands. What has no account does not exist. */
export type JobState =
  | { readonly kind: 'none' }
  /** Until `from`; undefined: it may begin. */
  | { readonly kind: 'waiting'; readonly account: JobAccount; readonly from: number | undefined }
  | { readonly kind: 'admitted'; readonly account: JobAccount; readonly attempt: number }
  | {
      readonly kind: 'running'
      readonly account: JobAccount
      readonly attempt: number
      readonly owner: string
      /** Sequence of the message of the queue that it was begun for. */
      readonly message: number | undefined
    }
  | {
      readonly kind: 'answered'
      readonly account: JobAccount
      readonly attempt: number
      readonly text: string
      readonly stopReason: string
    }
  | { readonly kind: 'valid'; readonly account: JobAccount; readonly attempt: number; readonly result: unknown }
  | {
      readonly kind: 'decided'
      readonly account: JobAccount
      readonly decision: unknown
      /** undefined: by the job. */
      readonly overriddenBy: string | undefined
    }
  | {
      readonly kind: 'dead'
      readonly account: JobAccount
      readonly reason: string
      readonly code: string | undefined
    }

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
      return { kind: 'admitted', account: admitted(state, event), attempt: event.attempt }
    case 'job.attempt-started': {
      const { attempt, owner, message } = event
      if (attempt !== account.begun + 1) return impossible(state, event)
      return { kind: 'running', attempt, owner, message, account: { ...account, begun: attempt } }
    }
    case 'job.attempt-failed': {
      const counted = account.counted + (event.counts ? 1 : 0)
      const waits = account.waits + (toldToWait(event.reason) ? 1 : 0)
      const before = event.billed === undefined && UNHEARD.has(event.reason) ? leftBehind(state) : account
      return { kind: 'waiting', account: withBill({ ...before, counted, waits }, event), from: event.again }
    }
    case 'job.completed':
      return {
        kind: 'answered',
        attempt: event.attempt,
        text: event.text,
        stopReason: event.stopReason,
        account: event.cached === undefined ? withBill(account, event) : account,
      }
    case 'job.attempt-billed':
      return { ...state, account: withBill(account, event) }
    case 'job.validated':
      return { kind: 'valid', account, attempt: event.attempt, result: event.result }
    case 'job.demoted':
      return { ...state, account: { ...account, request: { ...account.request, lane: 'batch' } } }
    case 'job.promoted':
      return { ...state, account: { ...account, promoted: true } }
    case 'job.invalidated':
      return invalidated(state, event)
    case 'job.decided':
      if (state.kind === 'decided') return impossible(state, event)
      return { kind: 'decided', account, decision: event.decision, overriddenBy: undefined }
    case 'job.overridden':
      return { kind: 'decided', account, decision: event.decision, overriddenBy: event.by }
    case 'job.dead-lettered':
      return { kind: 'dead', account: leftBehind(state), reason: event.reason, code: event.code }
    case 'job.redriven':
      return { kind: 'waiting', account: redriven(account, event), from: undefined }
  }
}

function admitted(
  state: Exclude<JobState, { kind: 'none' }>,
  { estimatedTokens: estimated }: Extract<JobEvent, { type: 'job.admitted' }>,
): JobAccount {
  const lost = state.account.lost + (state.kind === 'running' ? 1 : 0)
  return { ...leftBehind(state), lost, estimated }
}

/** The account of a job whose attempt, where one runs, is given up. What is in a batch is found there. */
function leftBehind(state: Exclude<JobState, { kind: 'none' }>): JobAccount {
  const { account } = state
  if (state.kind !== 'running' || account.estimated === 0 || batchOfOwner(state.owner) !== undefined) return account
  const left = { attempt: state.attempt, tokens: account.estimated }
  return { ...account, unknown: [...account.unknown, left] }
}

function invalidated(
  state: Exclude<JobState, { kind: 'none' }>,
  { issues }: Extract<JobEvent, { type: 'job.invalidated' }>,
): JobState {
  const { account } = state
  const repair = { text: state.kind === 'answered' ? state.text : '', issues }
  return { kind: 'waiting', account: { ...account, invalid: account.invalid + 1, repair }, from: undefined }
}

/** What begins anew with each generation. */
const NEW = { counted: 0, waits: 0, invalid: 0, repair: undefined, lost: 0, promoted: false }

function newAccount(request: JobRequest): JobAccount {
  const { generation = 0 } = request.origin ?? {}
  const tokens = { estimated: 0, unknown: [], billed: [], inputTokens: 0, outputTokens: 0, nanos: 0, unpriced: 0 }
  return { request, begun: 0, ...NEW, generation, ...tokens }
}

function redriven(account: JobAccount, event: Extract<JobEvent, { type: 'job.redriven' }>): JobAccount {
  const former = account.request
  const { input = former.input, deadline = former.deadline, lane = former.lane, tenant = former.tenant } = event
  const { generation = account.generation + 1 } = event
  const request = { ...former, input, deadline, lane, tenant }
  return { ...account, request, ...NEW, generation }
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
    unknown: account.unknown.filter((one) => one.attempt !== attempt),
    inputTokens: account.inputTokens + inputOf(billed.usage),
    outputTokens: account.outputTokens + billed.usage.output,
    nanos: account.nanos + (billed.nanos ?? 0),
    unpriced: account.unpriced + (billed.nanos === undefined ? 1 : 0),
  }
}

function impossible(state: JobState, { type }: JobEvent): never {
  const id = state.kind === 'none' ? 'a job' : state.account.request.id
  throw fault('JOB_HISTORY_INVALID', `${id} is ${state.kind}, and ${type} follows`)
}
