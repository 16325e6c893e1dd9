// A lane of batches that cannot start.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../../src/broker/connection.ts'
import { newId } from '../../../src/broker/new-id.ts'
import type { BatchClient } from '../../../src/job/batch/batch-client.ts'
import { BatchLane } from '../../../src/job/batch/batch-lane.ts'
import { batchConsumer } from '../../../src/job/batch/batch-watch.ts'
import { jobQueue } from '../../../src/job/job-streams.ts'
import type { ModelClient } from '../../../src/job/model-client.ts'
import { NO_PROGRESS } from '../../../src/job/progress/job-progress.ts'
import { TokenEstimates } from '../../../src/job/worker/token-estimates.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { jobPlaces } from '../../../src/runtime/job-places.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { LocalAdmission } from '../local-admission.ts'
import { jobContext } from '../worker/working-jobs.ts'
import { RULES } from './batching.ts'

const test = suite('a lane of batches that cannot start')

/** A connection that asks for the consumers of a stream when it is said. */
function askingLate(connection: Connection, stream: string, when: () => Promise<unknown>): Connection {
  const { consumers } = connection.manager
  const info: typeof consumers.info = async (of, name) => {
    if (of === stream) await when()
    return consumers.info(of, name)
  }
  const manager = {
    streams: connection.manager.streams,
    consumers: { info, add: consumers.add.bind(consumers), update: consumers.update.bind(consumers) },
  }
  return new Proxy(connection, {
    get: (target, name) => (name === 'manager' ? manager : (Reflect.get(target, name) as unknown)),
  })
}

test('when the batches of one queue cannot be looked after, nobody stays behind who looks after those of others', async () => {
  const own = await sharedConnection()
  const { job } = await jobContext(own)
  const missing = { ...jobQueue(job.records), name: `${job.queue.name}_MISSING` }
  const asked = async (): Promise<number> => {
    const { name } = batchConsumer(job.queue)
    return own.manager.consumers.info(job.queue.name, name).then(
      (found) => found.num_waiting,
      () => 0,
    )
  }
  const connection = askingLate(own, missing.name, () =>
    eventually('the other is at it', async () => (await asked()) > 0),
  )
  const now = (): number => Date.now()
  const shared = { connection, clock: systemClock, now, log: silentLog }
  const starting = BatchLane.start({
    ...shared,
    queues: jobPlaces([job, { ...job, queue: missing }], { ...shared, progressOf: () => NO_PROGRESS }),
    owner: 'test',
    chance: () => 0.5,
    client: {} as ModelClient,
    batchClient: {} as BatchClient,
    admission: new LocalAdmission({ clock: systemClock, now }),
    estimates: new TokenEstimates(),
    rules: RULES,
    collects: false,
    newId,
    onFailure: () => undefined,
  })
  await starting.then(
    () => assert.unreachable(),
    (error: unknown) => assert.is((error as { readonly code?: unknown }).code, 'STREAM_NOT_FOUND'),
  )
  await eventually('nobody asks for batches', async () => (await asked()) === 0)
})

test.run()
