import { fullJitter } from '../../delivery/backoff.js'
import { messageOf } from '../../error/millrace-error.js'
import type { BilledCallOf } from '../admission.js'
import type { Billed, Lane } from '../job-event.js'
import type { JobDeclaration } from '../job-options.js'
import type { JobState } from '../job-state.js'
import type { CallOutcome } from '../model-call.js'
import type { QueuedJob } from '../take-request.js'
import { afterCall } from '../worker/after-call.js'
import { insisting, JobHistory } from '../worker/job-history.js'
import { judgeAnswer } from '../worker/judge-answer.js'
import { NO_USAGE } from '../usage.js'
import { TaskProgress } from '../worker/task-progress.js'
import { tellEnd } from '../worker/tell-end.js'
import type { BatchAnswer } from './batch-client.js'
import type { BatchedJob } from './batch-event.js'
import type { BatchPorts } from './batch-ports.js'
import { outcomeOf } from './read-answer.js'
import { inputOf } from '../usage.js'

export interface AnsweredJob {
  /** Sequence of the message that says to look. */
  readonly copy: number
  /** The batch was given up before: only its bills count. */
  readonly stray: boolean
  readonly job: BatchedJob
  readonly answer: BatchAnswer
}

/** Of a job that is not declared here. */
const UNDECLARED: Pick<JobDeclaration, 'retry' | 'model' | 'maxTokens'> = {
  retry: { attempts: 5, backoff: fullJitter('1s', '60s'), wait: 1_000 },
  model: 'unknown',
  maxTokens: 1,
}

/** Has a job get its answer, with the commands of any attempt, from wherever whoever began that was ended. */
export async function settleJob(ports: BatchPorts, { copy, stray, job, answer }: AnsweredJob): Promise<void> {
  const history = await historyOf(ports, job.id)
  const { state } = history
  if (state.kind === 'none') return
  const { account } = state
  const declared = ports.place.declared(account.request.name)
  const outcome = outcomeOf(answer, (declared ?? UNDECLARED).model, ports.now())
  const telling = new TaskProgress(ports.place.progress)
  const { attempt } = job
  // an attempt that is over has what it needs; one that was given up is billed all the same, wherever its job stands
  const isOpen = state.kind === 'running' || account.begun > attempt || outcome.billed !== undefined
  if (isOpen && !account.billed.includes(attempt)) {
    const { model, maxTokens, retry } = declared ?? UNDECLARED
    const { name, tenant } = account.request
    const { context } = ports.place
    const billed = await billedOf(ports, { job: job.id, context, name, attempt, tenant, model }, outcome)
    const { now, chance } = ports
    const made = { job: { retry }, account, attempt, outcome, billed, aborted: 'canceled', now: now(), chance }
    const how = await tellEnd(history, afterCall(made).commands, { attempt, billed })
    if (how === 'told') {
      const call = telling.started({ job: job.id, attempt, model, maxTokens })
      if ('text' in outcome) call.text(outcome.text)
    }
  }
  if (stray) return
  // where its declaration is not known here, whoever takes it from its lane judges it
  if (declared !== undefined && history.state.kind === 'answered' && history.state.attempt === attempt) {
    const commands = judgeAnswer(declared.result, history.state)
    const told = await history.tell(...commands)
    if (told === 'told' && commands.some(({ kind }) => kind === 'decide')) await keep(ports, job, outcome)
  }
  await goOn(ports, { copy, job }, history.state)
  telling.at(history.state)
  telling.left()
}

/** An answer that was a result is kept for others who ask the same. */
async function keep(
  { cache }: BatchPorts,
  { id, cache: kept }: BatchedJob,
  outcome: CallOutcome<unknown>,
): Promise<void> {
  if (cache === undefined || kept === undefined || outcome.kind !== 'valid' || outcome.billed === undefined) return
  const { text, stopReason, billed } = outcome
  const savedTokens = inputOf(billed.usage) + billed.usage.output
  await cache.keep(kept.key, kept.ttl, { text, stopReason, model: billed.model, savedTokens, job: id })
}

export interface DroppedJob {
  readonly copy: number
  readonly job: BatchedJob
  readonly reason: string
  /** In ms since the Unix epoch. */
  readonly again: number
  readonly lane: Lane
}

/** Has a job go on whose batch is not at the provider: it was no attempt. */
export async function goOnWithout(ports: BatchPorts, dropped: DroppedJob): Promise<void> {
  const { job, reason, again, lane } = dropped
  const history = await historyOf(ports, job.id)
  const end = { kind: 'failed', reason, counts: false, again, billed: undefined } as const
  await history.tell({ kind: 'end', attempt: job.attempt, requestId: undefined, end })
  await goOn(ports, dropped, history.state, lane)
}

async function historyOf(ports: BatchPorts, id: string): Promise<JobHistory> {
  const history = new JobHistory({ ...ports, log: ports.place.log }, id)
  await history.read()
  return history
}

/** What an answer was billed, counted before it is looked at. */
async function billedOf(
  ports: BatchPorts,
  call: BilledCallOf,
  { billed }: CallOutcome<unknown>,
): Promise<Billed | undefined> {
  const { usage, estimated } = billed ?? { usage: NO_USAGE, estimated: false }
  try {
    const nanos = await insisting(ports, () => ports.bill(call, billed))
    return billed === undefined ? undefined : { usage, estimated, nanos }
  } catch (error) {
    ports.signal.throwIfAborted()
    if (billed === undefined) return undefined // what was held for it is free in a day
    // the log of the job says what was used; without its answer it would be paid for once more
    ports.log.warn({ job: call.job, detail: messageOf(error) }, 'the cost of a call cannot be counted')
    return { usage, estimated, nanos: undefined }
  }
}

/** Has a job that is not over come back to its lane, and one that is dead have its letter. */
async function goOn(
  ports: BatchPorts,
  { copy, job }: { readonly copy: number; readonly job: BatchedJob },
  state: JobState,
  lane?: Lane,
): Promise<void> {
  const { place, now } = ports
  // whoever has begun another attempt has the job
  if (state.kind === 'none' || state.kind === 'decided' || state.account.begun !== job.attempt) return
  if (state.kind === 'dead') return insisting(ports, () => place.letter(state))
  const { request } = state.account
  const queued: QueuedJob = { id: job.id, lane: lane ?? request.lane, tenant: request.tenant, tokens: job.tokens }
  const from = state.kind === 'waiting' ? state.from : undefined
  // also for what may begin at once: what a look has queued is told apart by its message
  await insisting(ports, () => place.queue.later(queued, copy, from ?? now()))
}
