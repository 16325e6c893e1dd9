// AskAgain
//
// Asks models again about jobs of the past, with another prompt or model, and decides as a worker would. What happens is told to a log
// of its own; the jobs’ own log is not touched.
//
// Invariants (tests cite them):
//   RA1  A call that is on its log is not made again: whoever goes on after an interruption pays for nothing twice.
//   RA2  What is spent passes the limit by no more than the calls under way take beyond their estimates.
import type { CallEnd } from '../job/admission.js'
import { decideJob, jobOf, type JobCommand } from '../job/decide-job.js'
import type { Billed, JobEvent, JobRequest } from '../job/job-event.js'
import type { JobDeclaration } from '../job/job-options.js'
import type { JobState } from '../job/job-state.js'
import { callModel, type BilledCall, type CallOutcome } from '../job/model-call.js'
import type { ModelAsk, ModelClient } from '../job/model-client.js'
import { afterCall } from '../job/worker/after-call.js'
import { judgeAnswer } from '../job/worker/judge-answer.js'
import { modelAskOf } from '../job/worker/model-ask.js'
import { fault, isFault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { Reserved, Spending } from './spending.js'

/** What happened to the jobs that are asked again, apart from their requests. */
export interface AskedLog {
  /** Of a job, from before. */
  events(id: string): readonly JobEvent[]
  /** Resolves when it is stored. Events of one call come together. */
  append(id: string, events: readonly JobEvent[]): Promise<void>
}

export interface AskedAgain {
  readonly request: JobRequest
  /** With the model and the prompt that are to be asked. */
  readonly job: JobDeclaration
}

export interface AskAgainOptions {
  readonly client: ModelClient
  readonly clock: Clock
  readonly log: AskedLog
  readonly spending: Spending
  /** Calls at a time. */
  readonly concurrency: number
  readonly chance: () => number
  /** Ends calls that are under way, too. */
  readonly signal: AbortSignal
  readonly onDone: (asked: AskedAgain, state: JobState) => void
}

export type AskAgainEnd = 'complete' | 'interrupted' | 'max-cost'

type Standing = Exclude<JobState, { kind: 'none' }>

/**
 * Asks about jobs, a few at a time. Those that are over are told of as they end.
 * @throws JOBS_WAIT the provider refuses every call · PRICE_MISSING · what the log throws; calls under way have ended by then
 */
export async function askAgain(jobs: readonly AskedAgain[], options: AskAgainOptions): Promise<AskAgainEnd> {
  const run = new AskAgain(options)
  const left = jobs.values()
  const one = async (): Promise<void> => {
    for (const asked of left) {
      if (run.stopped) return
      await run.ask(asked)
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, () => one().catch((error) => run.fail(error))))
  return run.end()
}

class AskAgain {
  readonly #options: AskAgainOptions
  #stop: { readonly kind: 'max-cost' } | { readonly kind: 'failed'; readonly error: unknown } | undefined
  /** Nobody asks before: the provider has said so. */
  #frozenUntil = 0

  constructor(options: AskAgainOptions) {
    this.#options = options
  }

  get stopped(): boolean {
    return this.#stop !== undefined || this.#options.signal.aborted
  }

  fail(error: unknown): void {
    if (!this.#options.signal.aborted) this.#stop ??= { kind: 'failed', error }
  }

  end(): AskAgainEnd {
    if (this.#stop?.kind === 'failed') throw this.#stop.error
    if (this.#options.signal.aborted) return 'interrupted'
    return this.#stop?.kind ?? 'complete'
  }

  async ask(asked: AskedAgain): Promise<void> {
    const { log, clock, onDone } = this.#options
    // its time was over long ago
    const request: JobRequest = { ...asked.request, deadline: undefined }
    const before = log.events(request.id)
    // whoever goes on has waited
    let state = withoutWait(jobOf([{ type: 'job.requested', at: clock.now(), request }, ...before]) as Standing)
    while (state.kind !== 'decided' && state.kind !== 'dead') {
      // what is paid for is judged all the same
      if (this.stopped && state.kind !== 'answered' && state.kind !== 'valid') return
      const next: Standing | undefined =
        state.kind === 'answered'
          ? await this.#tell(state, judgeAnswer(asked.job.result, state))
          : state.kind === 'valid'
            ? await this.#tell(state, [{ kind: 'decide', attempt: state.attempt, decision: state.result }])
            : await this.#begin(asked.job, state)
      if (next === undefined) return
      state = next
    }
    onDone(asked, state)
  }

  async #begin(job: JobDeclaration, state: Standing): Promise<Standing | undefined> {
    const { clock, signal, spending } = this.#options
    const from = Math.max(this.#frozenUntil, state.kind === 'waiting' ? (state.from ?? 0) : 0)
    if (from > clock.now()) {
      await clock.sleep(from - clock.now(), signal)
      return state
    }
    let ask: ModelAsk
    try {
      ask = modelAskOf(job, state.account)
    } catch (error) {
      if (!isFault(error, 'PROMPT_VALUE_MISSING')) throw error
      return this.#tell(state, [{ kind: 'dead-letter', code: error.code, reason: error.detail }])
    }
    const reserved = await spending.reserve(ask, job.prompt.hash)
    if (reserved === undefined) {
      this.#stop ??= { kind: 'max-cost' }
      return undefined
    }
    if (this.stopped) {
      reserved.settle(ask.model, undefined)
      return undefined
    }
    return this.#call(job, state, { ask, reserved })
  }

  /** One call, and what follows from it, as one entry of the log. */
  async #call(
    job: JobDeclaration,
    state: Standing,
    { ask, reserved }: { readonly ask: ModelAsk; readonly reserved: Reserved },
  ): Promise<Standing | undefined> {
    const { clock, chance } = this.#options
    const attempt = state.account.begun + 1
    let bill: BilledCall | undefined
    let outcome: CallOutcome<unknown> | undefined
    let nanos: number | undefined
    try {
      outcome = await this.#called(job, ask, (billed) => (bill = billed))
    } finally {
      nanos = reserved.settle(ask.model, bill?.usage)
    }
    const billed: Billed | undefined =
      bill === undefined ? undefined : { usage: bill.usage, estimated: bill.estimated, nanos }
    const now = clock.now()
    const { account } = state
    const made = { job, account, attempt, outcome, billed, aborted: 'interrupted', now, chance }
    const { commands, end, refused } = afterCall(made)
    const { id, version, hash } = job.prompt
    const prompt = { id, version, hash }
    const start = { kind: 'start', owner: 'replay', model: ask.model, prompt, estimatedTokens: 0 } as const
    const next = await this.#tell(withoutWait(state), [start, ...commands])
    this.#heed(end)
    if (refused !== undefined && outcome.kind === 'failed')
      throw fault('JOBS_WAIT', `${outcome.failure.reason}: ${outcome.message}`)
    return next
  }

  #called(job: JobDeclaration, ask: ModelAsk, onBill: (billed: BilledCall) => void): Promise<CallOutcome<unknown>> {
    const { client, clock, signal } = this.#options
    return callModel({
      client,
      ask,
      result: undefined,
      clock,
      limits: job.limits,
      signal,
      record: (billed) => Promise.resolve(onBill(billed)),
    })
  }

  #heed(end: CallEnd): void {
    if (end.kind === 'failed') this.#frozenUntil = Math.max(this.#frozenUntil, end.frozenUntil ?? 0)
  }

  async #tell(state: Standing, commands: readonly JobCommand[]): Promise<Standing> {
    const { clock, log } = this.#options
    const events: JobEvent[] = []
    let next: JobState = state
    for (const command of commands) {
      const verdict = decideJob(next, command, clock.now())
      if (verdict.kind === 'refused')
        throw new Error(`${state.account.request.id}: ${command.kind} was refused: ${verdict.why}`)
      events.push(...verdict.events)
      next = verdict.state
    }
    await log.append(state.account.request.id, events)
    return next as Standing
  }
}

/** The wait is over by our clock, whatever moved it since. */
function withoutWait(state: Standing): Standing {
  return state.kind === 'waiting' ? { ...state, from: undefined } : state
}
