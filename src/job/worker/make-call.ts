import { isFault, messageOf } from '../../error/millrace-error.js'
import type { Permit } from '../admission.js'
import type { JobDeclaration } from '../job-options.js'
import type { Billed } from '../job-event.js'
import { callModel, type BilledCall, type CallOutcome } from '../model-call.js'
import type { ModelAsk } from '../model-client.js'
import { afterCall } from './after-call.js'
import { insisting, type JobHistory } from './job-history.js'
import { later } from './put-off.js'
import { tellEnd } from './tell-end.js'
import type { JobTask, TaskEnd, WorkPorts } from './work-ports.js'

export interface Attempt {
  readonly job: JobDeclaration
  readonly ask: ModelAsk
  readonly history: JobHistory
  readonly permit: Permit
  readonly estimatedTokens: number
}

/**
 * Begins an attempt on the log, makes its call, and has the log say how it ended: what was billed first of all.
 * @returns undefined: the job is to be looked at again
 */
export async function makeCall(ports: WorkPorts, task: JobTask, made: Attempt): Promise<TaskEnd | undefined> {
  const { job, ask, history, permit, estimatedTokens } = made
  const { owner, estimates } = ports
  const { id, version, hash } = job.prompt
  const prompt = { id, version, hash }
  const start = await begun(permit, () =>
    history.tell({ kind: 'start', owner, model: ask.model, prompt, estimatedTokens, message: task.message }),
  )
  if (start !== 'told' || history.state.kind !== 'running') {
    await permit.end({ kind: 'aborted' })
    if (start !== 'changed') await history.read()
    return undefined
  }
  const { attempt, account } = history.state
  const left = account.unknown.findLast((one) => one.attempt === attempt - 1)
  const { id: own, name, tenant } = account.request
  const { context } = task.place
  if (left !== undefined)
    await ports.admission.unknown?.({ job: own, context, name, attempt: left.attempt, tenant }, left.tokens)
  const bill = new Bill(ports, task, permit)
  const outcome = await called(ports, task, made, attempt, bill)
  if (outcome.billed !== undefined) estimates.learn(ask, hash, outcome.billed.usage)
  const aborted = outcome.kind === 'aborted' ? messageOf(task.call.reason) : ''
  const { billed } = bill
  const after = afterCall({ ...ports, job, account, attempt, outcome, billed, aborted, now: ports.now() })
  const told = tellEnd(history, after.commands, { attempt, billed })
  // how a failure is told may keep others from being begun
  if (after.end.kind === 'answered') task.seat?.leave()
  const [how] = await Promise.all([told, permit.end(after.end)])
  return await ended(ports, task, { ...after, how, outcome, history })
}

/** A place that was given is given back, also when the attempt cannot be begun. */
async function begun<T>(permit: Permit, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await permit.end({ kind: 'aborted' })
    throw error
  }
}

function called(
  { client, clock }: WorkPorts,
  { call, queued, telling }: JobTask,
  { ask, job }: Attempt,
  attempt: number,
  bill: Bill,
): Promise<CallOutcome<unknown>> {
  const { model, maxTokens } = ask
  const { text: onText } = telling.started({ job: queued.id, attempt, model, maxTokens })
  return callModel({
    client,
    ask,
    // the answer is judged from the log, by whoever has the job then
    result: undefined,
    clock,
    limits: job.limits,
    signal: call,
    record: (billed) => bill.record(billed),
    onText,
  })
}

interface Ended extends Omit<ReturnType<typeof afterCall>, 'commands'> {
  readonly how: string
  readonly outcome: CallOutcome<unknown>
  readonly history: JobHistory
}

async function ended(
  ports: WorkPorts,
  task: JobTask,
  { how, again, refused, outcome, history }: Ended,
): Promise<TaskEnd | undefined> {
  // whoever has begun another attempt has the message
  if (how === 'superseded') return 'left'
  if (outcome.kind === 'failed' && refused === 'all')
    ports.onRefused(outcome.failure, outcome.message, again ?? ports.now())
  else if (outcome.kind !== 'aborted') ports.onAnswered()
  if (outcome.kind === 'aborted') return 'back'
  if (how !== 'told') await history.read()
  else if (again !== undefined) return later(ports, task, again)
  return undefined
}

/** What the call was billed, counted before its answer is looked at. */
class Bill {
  readonly #ports: WorkPorts
  readonly #task: JobTask
  readonly #permit: Permit
  #billed: Billed | undefined

  constructor(ports: WorkPorts, task: JobTask, permit: Permit) {
    this.#ports = ports
    this.#task = task
    this.#permit = permit
  }

  get billed(): Billed | undefined {
    return this.#billed
  }

  async record(billed: BilledCall): Promise<void> {
    const { usage, estimated } = billed
    this.#billed = { usage, estimated, nanos: undefined }
    const { clock, log } = this.#ports
    try {
      const nanos = await insisting({ clock, signal: this.#task.signal }, () => this.#permit.settle(billed))
      this.#billed = { usage, estimated, nanos }
    } catch (error) {
      // the log of the job says what was used; without its answer it would be paid for once more
      const code = isFault(error) ? error.code : 'INTERNAL'
      log.warn({ job: this.#task.queued.id, code, detail: messageOf(error) }, 'the cost of a call cannot be counted')
    }
  }
}
