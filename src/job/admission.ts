import type { FailureClass } from './classify-failure.js'
import type { CacheLife } from './define-prompt.js'
import type { Lane } from './job-event.js'
import type { BilledCall } from './model-call.js'
import type { RateStates } from './rate-headers.js'

// What a call goes through before it is made, as a port: breaker, budget of the tenant, rates of the model class, places. The
// worker asks; what answers shares its limits with all other processes.

/** A call that somebody wants to make. */
export interface AskedCall {
  readonly job: string
  /** Of the job: its id is that of an event, which two contexts may have alike. */
  readonly context: string
  /** Of its declaration. */
  readonly name: string
  /** In which it waits. A job of `batch` is not demoted again. */
  readonly lane: Lane
  /** Which one it will be. */
  readonly attempt: number
  readonly tenant: string
  readonly model: string
  /** Estimated. */
  readonly inputTokens: number
  /** The longest answer. */
  readonly outputTokens: number
  /** For how long the provider is asked to keep parts of it: to write these costs more than to read them. */
  readonly cacheLives?: readonly CacheLife[]
  /** It repeats one that failed: it may have to wait for the retry budget. */
  readonly repeats: boolean
}

/** Whose job it is, where no call was made, or nobody knows what it was billed. */
export type CallBeside = Pick<AskedCall, 'job' | 'context' | 'name' | 'attempt' | 'tenant'>

/** The id of a job among those of all contexts. */
export function ownJob({ context, job }: Pick<AskedCall, 'job' | 'context'>): string {
  return `${context} ${job}`
}

/** How a call ended, for who admits the next ones. */
export type CallEnd =
  | { readonly kind: 'answered'; readonly rates: RateStates }
  | {
      readonly kind: 'failed'
      readonly failure: FailureClass
      /** Nobody asks this class before, in ms since the Unix epoch. */
      readonly frozenUntil: number | undefined
      readonly rates: RateStates
    }
  /** It was given up here: it says nothing about the other side. */
  | { readonly kind: 'aborted' }

/** The right to make one call. Both are called once, `settle` before `end`; without `settle` nothing was billed. */
export interface Permit {
  /**
   * Counts what was billed. Called before the answer is looked at; the same job and attempt count once.
   * @returns billionths of the currency; undefined: there is no price
   * @throws errors of the broker
   */
  settle(billed: BilledCall): Promise<number | undefined>
  /** Gives back what was not used, and learns from how it went. Never rejects. */
  end(end: CallEnd): Promise<void>
}

export type AdmissionVerdict =
  | { readonly kind: 'admitted'; readonly permit: Permit }
  /** Not before then, in ms since the Unix epoch: the class is frozen, or the other side is ill. */
  | { readonly kind: 'later'; readonly at: number; readonly why: string }
  /** The tenant has used up what it should: its jobs go to the lane `batch`. */
  | { readonly kind: 'demoted'; readonly resetAt: number }
  /** And what it may. */
  | { readonly kind: 'rejected'; readonly resetAt: number }

/** Calls that the provider makes some time in a day: they take no place here, and no tokens of a minute. */
export interface BatchedCalls {
  /** @returns undefined: it may be. @throws see Admission */
  admit(
    call: AskedCall,
    signal: AbortSignal,
  ): Promise<Exclude<AdmissionVerdict, { kind: 'admitted' | 'demoted' }> | undefined>
  /**
   * Counts what one was billed, as `settle` of a permit does; it was admitted hours ago, and maybe by another process.
   * @param billed undefined: it was not, and what was held for it is free
   */
  settle(call: BilledCallOf, billed: BilledCall | undefined): Promise<number | undefined>
}

/** Whose call it was. */
export interface BilledCallOf {
  readonly job: string
  /** Of the job, see AskedCall. */
  readonly context: string
  /** Of its declaration. */
  readonly name: string
  readonly attempt: number
  readonly tenant: string
  /** As it was asked for. */
  readonly model: string
}

export interface Admission {
  /** Absent: they are neither limited nor priced. */
  readonly batched?: BatchedCalls
  /**
   * Waits for tokens and a place, for as long as these come within seconds.
   * @throws `signal.reason`; PRICE_MISSING, MODEL_CLASS_UNKNOWN before anything is taken; errors of the broker
   */
  admit(call: AskedCall, signal: AbortSignal): Promise<AdmissionVerdict>
  /**
   * A job took the answer of another one, and made no call. Never rejects: that a hit is not counted changes nothing.
   * @param tokens that it was not billed for
   */
  spared?(call: CallBeside, tokens: number): Promise<void>
  /**
   * A call ended without an answer, or its process did, before its bill was known. Never rejects, as `spared`.
   * @param tokens that it may have taken, at the most
   */
  unknown?(call: CallBeside, tokens: number): Promise<void>
  /** A job is dead: nothing is held for a call of it any more, whoever was to make that. Never rejects. */
  died?(job: Omit<CallBeside, 'attempt'>): Promise<void>
  /** Calls that may run at a time in this process. */
  readonly places: number
  /** Calls `listener` when there may be more places. @returns ends that */
  onChange(listener: () => void): () => void
  stop(): Promise<void>
}
