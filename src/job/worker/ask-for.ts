import { isFault } from '../../error/millrace-error.js'
import type { AdmissionVerdict, AskedCall } from '../admission.js'
import { cacheLivesOf } from '../costs/dearest-usage.js'
import type { JobDeclaration } from '../job-options.js'
import type { JobAccount } from '../job-state.js'
import type { ModelAsk } from '../model-client.js'
import { admitInTime } from './admit-in-time.js'
import { takeCached } from './take-cached.js'
import { insisting, type JobHistory } from './job-history.js'
import { makeCall } from './make-call.js'
import { modelAskOf } from './model-ask.js'
import { later } from './put-off.js'
import type { JobTask, TaskEnd, WorkPorts } from './work-ports.js'

export interface Asking {
  readonly job: JobDeclaration
  readonly account: JobAccount
  readonly history: JobHistory
}

/** How long a job waits at the least that may not go on in the lane that it has, in ms. */
const DEMOTED_MS = 600_000

const UNASKABLE: readonly string[] = ['PROMPT_VALUE_MISSING', 'PRICE_MISSING', 'MODEL_CLASS_UNKNOWN']

/** Has a job asked: from the cache where it may, else by a call that is admitted. @returns undefined: it is to be looked at again */
export async function askFor(ports: WorkPorts, task: JobTask, asking: Asking): Promise<TaskEnd | undefined> {
  const { job, account, history } = asking
  try {
    const ask = modelAskOf(job, account)
    const cached = await takeCached(ports, task, { ...asking, ask })
    if (cached.kind === 'end') return cached.end
    try {
      return await admitted(ports, task, { ...asking, ask })
    } finally {
      await cached.landed(history.state)
    }
  } catch (error) {
    // what says that a job cannot be asked is said before anything is
    if (!isFault(error) || !UNASKABLE.includes(error.code)) throw error
    await history.tell({ kind: 'dead-letter', code: error.code, reason: error.detail })
    return undefined
  }
}

async function admitted(
  ports: WorkPorts,
  task: JobTask,
  { job, account, history, ask }: Asking & { readonly ask: ModelAsk },
): Promise<TaskEnd | undefined> {
  const inputTokens = ports.estimates.inputOf(ask, job.prompt.hash)
  const { id, tenant, lane } = account.request
  const call: AskedCall = {
    job: id,
    context: task.place.context,
    name: job.name,
    attempt: account.begun + 1,
    tenant,
    lane,
    model: ask.model,
    inputTokens,
    outputTokens: ask.maxTokens,
    cacheLives: cacheLivesOf(ask),
    repeats: account.counted > 0,
  }
  const verdict = await admitInTime(ports, task, call, account.request.deadline)
  if (verdict === undefined) return undefined
  if (verdict.kind !== 'admitted') return notNow(ports, task, { job, account, history }, verdict)
  if (ports.collect !== undefined) {
    await verdict.permit.end({ kind: 'aborted' })
    const end = await ports.collect({ task, job, ask, account })
    if (end === undefined) await history.read()
    return end
  }
  const estimatedTokens = inputTokens + ask.maxTokens
  return makeCall(ports, task, { job, ask, history, permit: verdict.permit, estimatedTokens })
}

async function notNow(
  ports: WorkPorts,
  task: JobTask,
  { account, history }: Asking,
  verdict: Exclude<AdmissionVerdict, { kind: 'admitted' }>,
): Promise<TaskEnd | undefined> {
  const { deadline = Number.POSITIVE_INFINITY, lane, id } = account.request
  // one whose time will be over is looked at when it is
  const by = (at: number): number => Math.min(at, deadline + 1)
  switch (verdict.kind) {
    case 'later':
      ports.log.debug({ job: id, until: verdict.at, why: verdict.why }, 'a job waits')
      return later(ports, task, by(verdict.at))
    case 'demoted': {
      if (lane === 'batch') return later(ports, task, by(Math.min(verdict.resetAt, ports.now() + DEMOTED_MS)))
      if ((await history.tell({ kind: 'demote', until: verdict.resetAt })) !== 'told') {
        await history.read()
        return undefined
      }
      const { place, queued, message } = task
      const moved = { ...queued, lane: 'batch' } as const
      await insisting({ clock: ports.clock, signal: task.signal }, () => place.queue.move(moved, message))
      return 'done'
    }
    case 'rejected': {
      const reset = new Date(verdict.resetAt).toISOString()
      const reason = `${account.request.tenant} has used up its budget; it begins anew at ${reset}`
      if ((await history.tell({ kind: 'dead-letter', code: 'JOB_BUDGET_SPENT', reason })) !== 'told')
        await history.read()
      return undefined
    }
  }
}
