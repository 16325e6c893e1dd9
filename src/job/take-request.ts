// A request event becomes a job: first on the log, then in the queue of its lane.
//
// Invariants (tests cite them):
//   JR1  The id of a request event is one job, however often, and by whomever, the event is published and delivered.
//   JR2  A job that is on the log and was not begun is in its queue: whoever is killed between the two, the next delivery of
//        its request sees to it.
//   JR3  What cannot be asked is refused before there is a job, and before it has cost anything.
import { fault, messageOf } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import { decideJob } from './decide-job.js'
import { estimateTokens } from './estimate-tokens.js'
import { isLane, type JobEvent, type JobRequest, type Lane } from './job-event.js'
import type { JobDeclaration } from './job-options.js'
import { NO_JOB, type JobState } from './job-state.js'
import { renderPrompt, textsOf } from './render-prompt.js'

/** Where jobs are recorded. */
export interface JobLog {
  read(id: string): Promise<{ readonly state: JobState; readonly version: number }>
  /**
   * @param version that the job has to have before
   * @returns false: it has another one
   */
  append(id: string, version: number, events: readonly JobEvent[], cause: JobCause): Promise<boolean>
}

/** What recorded events come from. */
export interface JobCause {
  readonly correlationId: string | undefined
  readonly causationId: string
}

/** What waits in the queue of a lane: what a scheduler needs, and nothing that the log has. */
export interface QueuedJob {
  readonly id: string
  readonly lane: Lane
  readonly tenant: string
  /** Estimated, of the prompt and of the longest answer. */
  readonly tokens: number
}

export interface JobPorts {
  readonly log: JobLog
  /** Puts a job into its queue, once for a while. */
  enqueue(job: QueuedJob): Promise<void>
  /** In ms since the Unix epoch. */
  now(): number
}

const LONGEST_TENANT = 256

/**
 * Takes a request, or finds the job that it has become before.
 * @throws PROMPT_VALUE_MISSING, JOB_REQUEST_INVALID, JOB_ID_TAKEN: there is no job; errors of the ports: it is to be tried again
 */
export async function takeRequest(
  { log, enqueue, now }: JobPorts,
  job: JobDeclaration,
  event: StoredEvent,
): Promise<'requested' | 'found'> {
  const { id } = event
  const { request, queued } = requestOf(job, event)
  const verdict = decideJob(NO_JOB, { kind: 'request', request }, now())
  const events = verdict.kind === 'events' ? verdict.events : []
  const cause = { correlationId: event.correlationId, causationId: id }
  if (await log.append(id, 0, events, cause)) {
    await enqueue(queued)
    return 'requested'
  }
  const { state } = await log.read(id)
  if (state.kind === 'none') throw fault('JOB_HISTORY_INVALID', `${id} has a version and no events`)
  const found = state.account.request
  if (found.name !== job.name) throw fault('JOB_ID_TAKEN', `${id} is a job ${found.name}, and ${job.name} is requested`)
  // as it was requested first: an event that says something else under the same id changes nothing
  if (state.kind === 'waiting' && state.account.begun === 0)
    await enqueue({ ...queued, lane: found.lane, tenant: found.tenant })
  return 'found'
}

/** What a request event asks for. @throws PROMPT_VALUE_MISSING, JOB_REQUEST_INVALID */
export function requestOf(
  job: JobDeclaration,
  { id, data: input, time }: StoredEvent,
): { readonly request: JobRequest; readonly queued: QueuedJob } {
  const texts = textsOf(renderPrompt(job.prompt, input))
  const lane = told(job, 'lane', job.laneOf, input)
  if (!isLane(lane)) throw fault('JOB_REQUEST_INVALID', `${job.name}: lane gave ${JSON.stringify(lane)}`)
  const tenant = told(job, 'tenant', job.tenantOf, input)
  if (typeof tenant !== 'string' || tenant === '' || tenant.length > LONGEST_TENANT)
    throw fault('JOB_REQUEST_INVALID', `${job.name}: tenant gave no text of 1 to ${LONGEST_TENANT} characters`)
  const deadline = job.deadline === undefined ? undefined : time + job.deadline
  const tokens = estimateTokens([...texts, JSON.stringify(job.resultSchema)]) + job.maxTokens
  return {
    request: { id, name: job.name, lane, tenant, input, inputEvents: [id], deadline },
    queued: { id, lane, tenant, tokens },
  }
}

function told({ name }: JobDeclaration, what: string, of: (input: unknown) => unknown, input: unknown): unknown {
  try {
    return of(input)
  } catch (cause) {
    throw fault('JOB_REQUEST_INVALID', `${name}: ${what} threw: ${messageOf(cause)}`, { cause })
  }
}
