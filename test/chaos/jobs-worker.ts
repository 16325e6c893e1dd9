// A process that does the jobs of a context until it is killed: jobs-worker.ts URL CONTEXT MODEL CREDENTIAL
import { connectBroker } from '../../src/broker/connection.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { SharedAdmission } from '../../src/job/limits/shared-admission.ts'
import { readModels } from '../../src/job/models-config.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { contextNamed, work } from '../job/worker/working-jobs.ts'
import { JOB, MODELS, NOT_BEGUN } from './limited-jobs.ts'

const [url = '', name = '', model = '', credential = ''] = process.argv.slice(2)
const auth = { kind: 'none' } as const
try {
  await begin()
} catch (error) {
  if (!isFault(error)) throw error
  console.error(error.message)
  process.exit(NOT_BEGUN)
}
console.log('ready')
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)

async function begin(): Promise<void> {
  const connection = await connectBroker({ servers: [url], auth, name: 'worker', timeout: 20_000, origin: 'test' })
  const owner = `p${process.pid}`
  const admission = await SharedAdmission.open({
    connection,
    clock: systemClock,
    log: silentLog,
    now: Date.now,
    chance: Math.random,
    replicas: 1,
    owner,
    credential,
    models: readModels(MODELS),
    calls: [],
  })
  // what a killed process had is free soon
  await work(contextNamed(connection, name, JOB), model, { admission, owner, ackWait: 2_000 })
}
