import { EventStore } from '../actor/event-store.js'
import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { publishOnce } from '../broker/publish-once.js'
import { isFault } from '../error/millrace-error.js'
import { BATCH_CONTRACTS, batchEventOf, draftOfBatchEvent, type BatchEvent } from '../job/batch/batch-event.js'
import { batchLook } from '../job/batch/batch-look.js'
import type { BatchLog, BatchLooks } from '../job/batch/batch-ports.js'
import { batchOf } from '../job/batch/batch-state.js'
import { draftOfJobEvent, JOB_CONTRACTS } from '../job/job-contracts.js'
import type { Clock } from '../time/clock.js'
import { JOB_AGGREGATE } from './open-job.js'

/** The type of the aggregates that batches are, beside those of their jobs. */
const AGGREGATE = 'job-batch'

/** The events of a batch; none: there is no such batch. @throws JOB_HISTORY_INVALID, errors of the event store */
export function readBatch(
  records: StreamDeclaration,
  { connection, clock }: { readonly connection: Connection; readonly clock: Clock },
  id: string,
): Promise<readonly BatchEvent[]> {
  const store = new EventStore(connection, { stream: records, events: BATCH_CONTRACTS, clock, mayHaveOwner: false })
  return eventsOf(store, id)
}

async function eventsOf(store: EventStore, id: string): Promise<readonly BatchEvent[]> {
  const events: BatchEvent[] = []
  for await (const event of store.read(AGGREGATE, id)) events.push(batchEventOf(event))
  return events
}

/** Batches on the stream that has the records of their jobs. */
export function batchLog(
  records: StreamDeclaration,
  { connection, clock }: { readonly connection: Connection; readonly clock: Clock },
): BatchLog {
  const store = new EventStore(connection, { stream: records, events: [...JOB_CONTRACTS, ...BATCH_CONTRACTS], clock })
  return {
    async read(id) {
      const events = await eventsOf(store, id)
      return { state: batchOf(events), version: events.length }
    },
    append: (id, version, events) =>
      unlessChanged(() => store.append(AGGREGATE, id, version, events.map(draftOfBatchEvent))),
    collect: (id, event, jobs) =>
      unlessChanged(() =>
        store.appendAll([
          { type: AGGREGATE, id, expected: 'none', events: [draftOfBatchEvent(event)] },
          ...jobs.map(({ id: job, version, events, cause }) => ({
            type: JOB_AGGREGATE,
            id: job,
            expected: version,
            events: events.map(draftOfJobEvent),
            metadata: cause,
          })),
        ]),
      ),
  }
}

/** Batches that are to be looked at, in the queue of their jobs. */
export function batchLooks(queue: StreamDeclaration, connection: Connection): BatchLooks {
  return {
    async at(batch, copy, at) {
      await publishOnce(connection, batchLook(queue.name, batch, copy, at))
    },
  }
}

/** @returns false: something has another version than was expected */
async function unlessChanged(append: () => Promise<unknown>): Promise<boolean> {
  try {
    await append()
    return true
  } catch (error) {
    if (isFault(error, 'EXPECTED_VERSION_CONFLICT')) return false
    throw error
  }
}
