// DoJob
//
// One message of the queue: looks at what the log says of its job, does what comes next, and goes on until the job is over, or waits for
// something, or belongs to somebody else.
//
//   JobWorker -> DoJob:   a message in hand
//   DoJob -> JobLog:      what happens, each time with the version that it was decided from
//   DoJob -> JobQueue:    the same job, to come back at a time
//   DoJob -> JobWorker:   whether the message is done
//
// Invariants (tests cite them):
//   JW1  Every job that is in its queue ends: it is decided, or it is dead and has a dead letter, whoever is killed in between.
//   JW2  A message is done when its job is over, or another message of it is stored: none is lost.
//   JW3  An answer that is on the log is not asked for again.
//   JW4  Of several messages of a job one has it; the others are done with when they see that.
//   JW8  What is done from a message alone counts only where the log has nothing else of the job; else the log is read.
import type { JobRequest } from '../job-event.js'
import { askFor } from './ask-for.js'
import { insisting, JobHistory } from './job-history.js'
import { judgeAnswer } from './judge-answer.js'
import { beginning, nextStep, type NextStep } from './next-step.js'
import type { FirstRecord } from '../take-request.js'
import { later } from './put-off.js'
import type { JobPlace, JobTask, TaskEnd, WorkPorts } from './work-ports.js'

/** Deliveries after which a message whose job nobody knows is thrown away: its record would have been seen by then. */
const UNKNOWN_DELIVERIES = 5
/** How long a job waits that is not declared here, in ms: another process may know it. */
const UNDECLARED_MS = 60_000

/** @throws errors that do not pass: the message is left, and delivered again */
export async function doJob(ports: WorkPorts, task: JobTask): Promise<TaskEnd> {
  const { log } = task.place
  const history = new JobHistory({ ...ports, log, signal: task.signal }, task.queued.id)
  if (!mayAssume(ports, task) || !history.assume(task.first)) await history.read()
  for (;;) {
    task.signal.throwIfAborted()
    const step = nextStep(history.state, { message: task.message, now: ports.now() })
    const end = await doStep(ports, task, history, step)
    task.telling.at(history.state)
    if (end !== undefined) return end
  }
}

/**
 * Whether a message is the first one of a job, as far as it says: then the job is begun on condition that its log says so too, and
 * read only where it does not. Who puts jobs together looks at each before.
 */
function mayAssume({ collect }: WorkPorts, task: JobTask): task is JobTask & { readonly first: FirstRecord } {
  return task.first !== undefined && task.deliveries === 1 && collect === undefined
}

/** A batch that a job was to be in may have had its cost held for a day. */
async function dead({ admission }: WorkPorts, { context }: JobPlace, { id, name, tenant }: JobRequest): Promise<void> {
  await admission.died?.({ job: id, context, name, tenant })
}

async function doStep(
  ports: WorkPorts,
  task: JobTask,
  history: JobHistory,
  step: NextStep,
): Promise<TaskEnd | undefined> {
  const { place, queued } = task
  const insist = { clock: ports.clock, signal: task.signal }
  switch (step.kind) {
    case 'unknown':
      if (task.deliveries < UNKNOWN_DELIVERIES) return 'left'
      ports.log.warn({ job: queued.id }, 'nobody knows of a job that is in the queue; it is thrown away')
      return 'done'
    case 'over':
      return 'done'
    case 'letter':
      await dead(ports, place, step.state.account.request)
      await insisting(insist, () => place.letter(step.state))
      return 'done'
    case 'wait':
      return later(ports, task, step.at)
    case 'elsewhere': {
      if (await insisting(insist, () => place.queue.has(step.message, queued.id))) return 'done'
      const { state } = history
      return state.kind === 'running' ? doStep(ports, task, history, beginning(state, ports.now())) : undefined
    }
    case 'batched':
      return inBatch(ports, task, history, step)
    case 'give-up':
      return told(history, await history.tell({ kind: 'dead-letter', code: step.code, reason: step.reason }))
    case 'judge': {
      const job = place.declared(step.state.account.request.name)
      if (job === undefined) return undeclared(ports, task, step.state.account.request.name)
      return told(history, await history.tell(...judgeAnswer(job.result, step.state)))
    }
    case 'decide': {
      const { attempt, result } = step.state
      return told(history, await history.tell({ kind: 'decide', attempt, decision: result }))
    }
    case 'ask': {
      const { name } = step.account.request
      const job = place.declared(name)
      if (job === undefined) return undeclared(ports, task, name)
      await task.seat?.take()
      return askFor(ports, task, { job, account: step.account, history })
    }
  }
}

/** A batch that may still have the answer has the job. */
async function inBatch(
  ports: WorkPorts,
  task: JobTask,
  history: JobHistory,
  { batch, state }: Extract<NextStep, { kind: 'batched' }>,
): Promise<TaskEnd | undefined> {
  const { place, queued, signal } = task
  const own = { id: queued.id, attempt: state.attempt }
  const has = await insisting({ clock: ports.clock, signal }, async () => place.inBatch?.(batch, own))
  if (has === true) return 'done'
  const now = await history.read()
  const left = now.kind === 'running' && now.attempt === state.attempt
  return left ? doStep(ports, task, history, beginning(now, ports.now())) : undefined
}

/** What somebody else has done meanwhile is looked at. */
async function told(history: JobHistory, how: string): Promise<TaskEnd | undefined> {
  if (how === 'superseded') return 'left'
  if (how !== 'told' && how !== 'changed') await history.read()
  return undefined
}

function undeclared(ports: WorkPorts, task: JobTask, name: string): Promise<TaskEnd | undefined> {
  ports.log.warn({ job: task.queued.id, name, code: 'JOB_NOT_DEPLOYED' }, 'a job waits, as its declaration is not here')
  return later(ports, task, ports.now() + UNDECLARED_MS)
}
