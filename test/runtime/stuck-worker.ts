// A process that runs the deployment of stuck-actor.ts, and ends itself when it is stuck: stuck-worker.ts URL STREAM MS
import { connectBroker } from '../../src/broker/connection.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { stuckDeployment } from './stuck-actor.ts'

const [url = '', name = '', limit = ''] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'stuck worker',
  timeout: 5_000,
  origin: 'test',
})
await createRuntime({
  connection,
  deployment: stuckDeployment(name),
  clock: systemClock,
  log: silentLog,
  owner: `worker-${process.pid}`,
  group: `g-${name}`,
  stuckAfter: Number(limit),
})
console.log('ready')
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
