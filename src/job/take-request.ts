// A request event becomes a job: first on the log, then in the queue of its lane.
//
// Invariants (tests cite them):
//   JR1  The id of a request event is one job, however often, and by whomever, the event is published and delivered.
//   JR2  A job that is on the log and was not begun is in its queue: whoever is killed between the two, the next delivery of
//        its request sees to it.
//   JR3  What cannot be asked is refused before there is a job, and before it has cost anything.
import type { Origin } from '../delivery/origin.js'
import { fault, messageOf } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import { decideJob } from './decide-job.js'
import { estimateTokens, schemaText } from './estimate-tokens.js'
import { isLane, type JobEvent, type JobOrigin, type JobRequest, type Lane } from './job-event.js'
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
  /** Where the last record of a job is, as far as was read or stored here. Absent: nobody can say. */
  lastOf?(id: string): number | undefined
  /** Takes a job to have this version, and its last record to be there: `append` finds out whether it is. Absent: it has to be read. */
  assume?(id: string, version: number, sequence: number): void
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

/** The first record of a job, and where it is: as long as it is the last one, whoever has it need not read. */
export interface FirstRecord {
  readonly sequence: number
  readonly requested: Extract<JobEvent, { type: 'job.requested' }>
}

export interface JobPorts {
  readonly log: JobLog
  /**
   * Puts a job into its queue, once for a while.
   * @param generation how often its request has been a dead letter: each time it is queued anew
   * @param first what the log has of it, where that is all
   */
  enqueue(job: QueuedJob, generation: number, first?: FirstRecord): Promise<void>
  /** In ms since the Unix epoch. */
  now(): number
}

/** How a request event has come. */
export interface RequestDelivery {
  /** undefined: it is not known where it was published. */
  readonly origin: Origin | undefined
  /** How often it was a dead letter before. */
  readonly generation: number
}

const LONGEST_TENANT = 256
const FIRST: RequestDelivery = { origin: undefined, generation: 0 }

/**
 * Takes a request, or finds the job that it has become before. A dead job whose request has come back as a dead letter that was
 * redriven is begun anew, with what the event says now.
 * @throws PROMPT_VALUE_MISSING, JOB_REQUEST_INVALID, JOB_ID_TAKEN: there is no job; errors of the ports: it is to be tried again
 */
export async function takeRequest(
  { log, enqueue, now }: JobPorts,
  job: JobDeclaration,
  event: StoredEvent,
  { origin, generation }: RequestDelivery = FIRST,
): Promise<'requested' | 'redriven' | 'found'> {
  const { id } = event
  const { request: asked, queued } = requestOf(job, event)
  const request = origin === undefined ? asked : { ...asked, origin: originOf(event, origin, generation) }
  const verdict = decideJob(NO_JOB, { kind: 'request', request }, now())
  const events = verdict.kind === 'events' ? verdict.events : []
  const cause = { correlationId: event.correlationId, causationId: id }
  if (await log.append(id, 0, events, cause)) {
    await enqueue(queued, generation, firstOf(events, log.lastOf?.(id)))
    return 'requested'
  }
  const { state, version } = await log.read(id)
  if (state.kind === 'none') throw fault('JOB_HISTORY_INVALID', `${id} has a version and no events`)
  const found = state.account.request
  if (found.name !== job.name) throw fault('JOB_ID_TAKEN', `${id} is a job ${found.name}, and ${job.name} is requested`)
  const again = redriveOf(job, state, { ...asked, generation, now: now() })
  if (again.length > 0) {
    // whoever was faster has begun it: the next delivery sees what there is
    if (!(await log.append(id, version, again, cause)))
      throw fault('JOB_BUSY', `${id}: it was changed at the same time`)
    await enqueue(queued, generation)
    return 'redriven'
  }
  // as it was requested first: an event that says something else under the same id changes nothing
  const place = { ...queued, lane: found.lane, tenant: found.tenant }
  const waits = state.kind === 'waiting' && state.from === undefined
  if (waits && (state.account.begun === 0 || state.account.generation === generation)) await enqueue(place, generation)
  return 'found'
}

function firstOf([requested]: readonly JobEvent[], sequence: number | undefined): FirstRecord | undefined {
  return requested?.type === 'job.requested' && sequence !== undefined ? { sequence, requested } : undefined
}

/** What brings a dead job back, with what its request says now. */
function redriveOf(
  job: JobDeclaration,
  state: JobState,
  { input, lane, tenant, generation, now }: JobRequest & { readonly generation: number; readonly now: number },
): readonly JobEvent[] {
  if (state.kind !== 'dead' || generation === 0) return []
  const deadline = job.deadline === undefined ? undefined : now + job.deadline
  const verdict = decideJob(
    state,
    { kind: 'redrive', by: 'dead-letters', generation, input, deadline, lane, tenant },
    now,
  )
  return verdict.kind === 'events' ? verdict.events : []
}

function originOf(event: StoredEvent, origin: Origin, generation: number): JobOrigin {
  const { type, version, source, time, key, correlationId } = event
  return { ...origin, type, version, source, time, key, correlationId, generation }
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
  const tokens = estimateTokens([...texts, schemaText(job.resultSchema)]) + job.maxTokens
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
