// A process that does the jobs of the lane of batches until it is killed: batch-worker.ts URL CONTEXT MODEL CREDENTIAL
import { connectBroker } from '../../src/broker/connection.ts'
import { newId } from '../../src/broker/new-id.ts'
import { anthropicClient } from '../../src/job/anthropic-client.ts'
import { anthropicBatches } from '../../src/job/batch/anthropic-batches.ts'
import { BatchLane } from '../../src/job/batch/batch-lane.ts'
import { SharedAdmission } from '../../src/job/limits/shared-admission.ts'
import { readModels } from '../../src/job/models-config.ts'
import { TokenEstimates } from '../../src/job/worker/token-estimates.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { contextNamed } from '../job/worker/working-jobs.ts'
import { BATCH_JOB, BATCH_RULES } from './batch-jobs.ts'
import { MODELS } from './limited-jobs.ts'

const [url = '', name = '', model = '', credential = ''] = process.argv.slice(2)
const auth = { kind: 'none' } as const
const connection = await connectBroker({ servers: [url], auth, name: 'worker', timeout: 5_000, origin: 'test' })
const shared = {
  connection,
  clock: systemClock,
  log: silentLog,
  now: Date.now,
  chance: Math.random,
  owner: `p${process.pid}`,
}
const limits = { replicas: 1, credential: 'key', models: readModels(MODELS), calls: [] }
const provider = { apiKey: credential, baseUrl: model }
await BatchLane.start({
  ...shared,
  client: await anthropicClient(provider),
  batchClient: await anthropicBatches(provider),
  admission: await SharedAdmission.open({ ...shared, ...limits }),
  estimates: new TokenEstimates(),
  queues: contextNamed(connection, name, BATCH_JOB).places,
  rules: BATCH_RULES,
  collects: true,
  newId,
  // what a killed process had is free soon
  ackWait: 2_000,
  onFailure: (error) => {
    throw error
  },
})
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
