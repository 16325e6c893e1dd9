import { EventStore } from '../actor/event-store.js'
import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { publishOnce } from '../broker/publish-once.js'
import type { HandlerContext } from '../delivery/handler-context.js'
import type { HandlerDeclaration } from '../delivery/handler-options.js'
import { isFault } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import { jobOf } from '../job/decide-job.js'
import { draftOfJobEvent, JOB_CONTRACTS, jobEventOf } from '../job/job-contracts.js'
import type { JobEvent } from '../job/job-event.js'
import { queueMessage } from '../job/queue-message.js'
import { takeRequest, type JobLog, type JobPorts } from '../job/take-request.js'
import type { Clock } from '../time/clock.js'
import type { DeployedJob } from './deployed-jobs.js'

/** The type of the aggregates that jobs are. */
export const JOB_AGGREGATE = 'job'

export interface OpenJobOptions {
  readonly connection: Connection
  readonly clock: Clock
}

/** What takes the requests of a job, as a handler that can be run. */
export function openJob(job: DeployedJob, options: OpenJobOptions): HandlerDeclaration {
  const { declaration } = job
  const ports = jobPorts(job, options)
  const handle = (event: StoredEvent, { origin, generation }: HandlerContext): Promise<unknown> =>
    takeRequest(ports, declaration, event, { origin, generation }).then(() => undefined)
  return { ...declaration.requests, run: { kind: 'single', handle } }
}

/** The log and the queue of a job on their streams. */
export function jobPorts({ records, queue }: DeployedJob, { connection, clock }: OpenJobOptions): JobPorts {
  const store = new EventStore(connection, { stream: records, events: JOB_CONTRACTS, clock, mayHaveOwner: false })
  return {
    log: jobLog(store),
    now: () => clock.now(),
    enqueue: async (queued, generation, first) => {
      const id = generation === 0 ? queued.id : `${queued.id} g${generation}`
      await publishOnce(connection, queueMessage(queue.name, queued, id, first))
    },
  }
}

/** The events of a job; none: there is no such job. @throws JOB_HISTORY_INVALID, errors of the event store */
export function readJob(
  records: StreamDeclaration,
  { connection, clock }: OpenJobOptions,
  id: string,
): Promise<readonly JobEvent[]> {
  return eventsOf(
    new EventStore(connection, { stream: records, events: JOB_CONTRACTS, clock, mayHaveOwner: false }),
    id,
  )
}

async function eventsOf(store: EventStore, id: string): Promise<readonly JobEvent[]> {
  const events: JobEvent[] = []
  for await (const event of store.read(JOB_AGGREGATE, id)) events.push(jobEventOf(event))
  return events
}

function jobLog(store: EventStore): JobLog {
  return {
    async read(id) {
      const events = await eventsOf(store, id)
      return { state: jobOf(events), version: events.length }
    },
    async append(id, version, events, cause) {
      try {
        await store.append(JOB_AGGREGATE, id, version, events.map(draftOfJobEvent), cause)
        return true
      } catch (error) {
        if (isFault(error, 'EXPECTED_VERSION_CONFLICT')) return false
        throw error
      }
    },
    lastOf: (id) => store.seen(JOB_AGGREGATE, id)?.sequence,
    assume: (id, version, sequence) => store.assume(JOB_AGGREGATE, id, { version, sequence }),
  }
}
