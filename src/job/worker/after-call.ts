import type { JobCommand } from '../decide-job.js'
import { decideRetry } from '../decide-retry.js'
import type { JobDeclaration } from '../job-options.js'
import type { Billed } from '../job-event.js'
import type { JobAccount } from '../job-state.js'
import type { CallEnd } from '../admission.js'
import type { CallOutcome } from '../model-call.js'
import { NO_USAGE } from '../usage.js'

/** What follows from a call. */
export interface AfterCall {
  readonly commands: readonly JobCommand[]
  readonly end: CallEnd
  /** When the job comes back, in ms since the Unix epoch; undefined: it goes on, or is over. */
  readonly again: number | undefined
  /** Which other calls would be refused as this one was: of all models, of this one; undefined: none. */
  readonly refused: 'all' | 'model' | undefined
}

export interface CallMade {
  readonly job: Pick<JobDeclaration, 'retry'>
  readonly account: JobAccount
  readonly attempt: number
  readonly outcome: CallOutcome<unknown>
  readonly billed: Billed | undefined
  /** Why it was given up, where it was. */
  readonly aborted: string
  readonly now: number
  readonly chance: () => number
}

/** How long a job waits whose call was refused for want of a right or of money, in ms. */
export const REFUSED_MS = 60_000

/**
 * So often does a job that is told to wait have everybody wait. What is told so again and again is larger than the limit of a minute: it would
 * hold up all others for ever.
 */
const MOST_FREEZES = 3

/** Pure: the same call leads to the same, but for chance. */
export function afterCall(made: CallMade): AfterCall {
  const { attempt, outcome, billed, aborted } = made
  const { requestId, rates } = outcome
  const ended = { kind: 'end', attempt, requestId } as const
  if (outcome.kind === 'failed') return afterFailure(made, outcome)
  if (outcome.kind === 'aborted') {
    const end = { kind: 'failed', reason: aborted, counts: false, again: undefined, billed } as const
    return { commands: [{ ...ended, end }], end: { kind: 'aborted' }, again: undefined, refused: undefined }
  }
  const stopReason = outcome.kind === 'refused' ? 'refusal' : outcome.stopReason
  const { text } = outcome
  const end = { kind: 'completed', stopReason, text, billed: billed ?? UNSAID } as const
  return { commands: [{ ...ended, end }], end: { kind: 'answered', rates }, again: undefined, refused: undefined }
}

/** An answer that says nothing of what it cost. */
const UNSAID: Billed = { usage: NO_USAGE, nanos: undefined, estimated: true }

function afterFailure(
  { job, account, attempt, billed, now, chance }: CallMade,
  { failure, message, retryAfter, requestId, rates }: Extract<CallOutcome<unknown>, { kind: 'failed' }>,
): AfterCall {
  const attempts = account.counted + (failure.kind === 'retry' ? 1 : 0)
  const { deadline } = account.request
  const { waits } = account
  const decision = decideRetry(job.retry, { failure, attempts, waits, retryAfter, deadline, now, chance })
  const told = (counts: boolean, again: number | undefined): JobCommand => ({
    kind: 'end',
    attempt,
    requestId,
    end: { kind: 'failed', reason: failure.reason, counts, again, billed },
  })
  // what the provider asks for is for all; whether this one comes back, and how much later, is its own
  const freezes = failure.kind === 'wait' && waits < MOST_FREEZES
  const frozenUntil = freezes ? Math.ceil(now + (retryAfter ?? job.retry.wait)) : undefined
  const end: CallEnd = { kind: 'failed', failure, frozenUntil, rates }
  switch (decision.kind) {
    case 'again':
      return { commands: [told(decision.counts, decision.at)], end, again: decision.at, refused: undefined }
    case 'park': {
      const again = now + REFUSED_MS
      const commands = [told(false, again)]
      if (failure.reason !== 'permission') return { commands, end, again, refused: 'all' }
      // of one model: others may be asked
      return { commands, end: { ...end, frozenUntil: again }, again, refused: 'model' }
    }
    case 'dead-letter': {
      const [code, reason] = lastWord(decision.reason, `${failure.reason}: ${message}`, attempts)
      const dead: JobCommand = { kind: 'dead-letter', code, reason }
      return { commands: [told(failure.kind === 'retry', undefined), dead], end, again: undefined, refused: undefined }
    }
  }
}

function lastWord(
  why: 'never' | 'exhausted' | 'deadline',
  detail: string,
  attempts: number,
): readonly [string, string] {
  if (why === 'never') return ['JOB_CALL_REFUSED', detail]
  if (why === 'exhausted') return ['JOB_EXHAUSTED', `${attempts} attempts; the last one: ${detail}`]
  return ['JOB_DEADLINE_OVER', `the next attempt would come too late; the last one: ${detail}`]
}
