// What the failure of a call means: one table, read by everyone. By the type that the API gives, as an error inside of a
// stream has no status; by the status where the type is not known; by how the connection ended where there is neither.

/** What is known of a failure. */
export interface FailureFacts {
  /**
   * How it showed. `status`: an answer of the API; `stream`: an error event, or a body that ended wrongly; `slow`: its time was over
   * while the answer was coming.
   */
  readonly from: 'status' | 'stream' | 'connection' | 'timeout' | 'slow' | 'idle' | 'cut'
  /** `error.type` of the API, such as `overloaded_error`. */
  readonly type?: string | undefined
  readonly status?: number | undefined
  /** `error.details.error_code`, such as `ramp_limit_exceeded`. */
  readonly errorCode?: string | undefined
}

/**
 * What follows.
 * - `wait`: as long as the provider says, everybody of the model class; it is no attempt
 * - `retry`: later, it is an attempt
 * - `never`: the same request fails each time; dead letter at once
 * - `credential`: nobody with this credential gets an answer; the job waits for a human
 * - `spend`: the money is used up; the lane waits for a human
 */
export type FailureKind = 'wait' | 'retry' | 'never' | 'credential' | 'spend'

export interface FailureClass {
  readonly kind: FailureKind
  /** For programs: short and stable, such as `overloaded`. */
  readonly reason: string
  /** Whether it says that the other side is ill, for its breaker. */
  readonly ill: boolean
}

const as = (kind: FailureKind, reason: string, ill = false): FailureClass => Object.freeze({ kind, reason, ill })

const OVERLOADED = as('retry', 'overloaded', true)
const SERVER = as('retry', 'server-error', true)
const TIMEOUT = as('retry', 'timeout', true)
const INVALID = as('never', 'invalid-request')

const BY_TYPE: ReadonlyMap<string, FailureClass> = new Map([
  ['invalid_request_error', INVALID],
  ['request_too_large', as('never', 'too-large')],
  ['not_found_error', as('never', 'not-found')],
  ['authentication_error', as('credential', 'authentication')],
  ['permission_error', as('credential', 'permission')],
  ['billing_error', as('credential', 'billing')],
  ['rate_limit_error', as('wait', 'rate-limit')],
  ['conflict_error', as('retry', 'conflict')],
  ['timeout_error', TIMEOUT],
  ['api_error', SERVER],
  ['overloaded_error', OVERLOADED],
])

/** Codes that say more than their type. A spend limit is a 429 that no waiting heals. */
const BY_CODE: ReadonlyMap<string, FailureClass> = new Map([
  ['enforced_spend_limit_reached', as('spend', 'spend-limit')],
  ['contract_spend_limit_reached', as('spend', 'spend-limit')],
  ['linked_organization_spend_limit_reached', as('spend', 'spend-limit')],
  ['ramp_limit_exceeded', as('wait', 'ramp-limit')],
])

const BY_STATUS: ReadonlyMap<number, FailureClass> = new Map([
  [401, as('credential', 'authentication')],
  [402, as('credential', 'billing')],
  [403, as('credential', 'permission')],
  [404, as('never', 'not-found')],
  [408, TIMEOUT],
  [409, as('retry', 'conflict')],
  [413, as('never', 'too-large')],
  [429, as('wait', 'rate-limit')],
  [499, as('retry', 'client-closed')],
  [501, as('never', 'not-implemented')],
  [504, TIMEOUT],
  [529, OVERLOADED],
])

const BY_ORIGIN: Readonly<Record<FailureFacts['from'], FailureClass>> = {
  // an answer that says nothing of itself
  status: SERVER,
  stream: as('retry', 'stream-broken', true),
  connection: as('retry', 'connection', true),
  timeout: TIMEOUT,
  // the job’s limit is short for what it asks for: whoever answers is not ill
  slow: as('retry', 'timeout'),
  idle: as('retry', 'idle', true),
  cut: as('retry', 'stream-cut', true),
}

const WAITS: ReadonlySet<string> = new Set(
  [...BY_TYPE.values(), ...BY_CODE.values(), ...BY_STATUS.values()].flatMap(({ kind, reason }) =>
    kind === 'wait' ? [reason] : [],
  ),
)

/** Whether a call that failed for this reason was told to wait. */
export function toldToWait(reason: string): boolean {
  return WAITS.has(reason)
}

/** What a failure means. Every failure has an answer. */
export function classifyFailure({ from, type, status, errorCode }: FailureFacts): FailureClass {
  return (
    (errorCode === undefined ? undefined : BY_CODE.get(errorCode)) ??
    (type === undefined ? undefined : BY_TYPE.get(type)) ??
    (status === undefined ? undefined : byStatus(status)) ??
    BY_ORIGIN[from]
  )
}

function byStatus(status: number): FailureClass | undefined {
  const known = BY_STATUS.get(status)
  if (known !== undefined) return known
  if (status >= 500) return SERVER
  return status >= 400 ? INVALID : undefined
}
