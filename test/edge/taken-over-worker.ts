// A process that runs a subject source and a webhook until it is killed: node taken-over-worker.ts URL STREAM HOOK
import { connectBroker } from '../../src/broker/connection.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { workStream } from '../../src/broker/work-stream.ts'
import { startSubjectSource } from '../../src/edge/subject/subject-source.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { send } from './receiving.ts'
import { takenOver } from './taken-over.ts'

const [url = '', name = '', hookUrl = ''] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'test',
  timeout: 5_000,
  origin: 'test',
})
const stream = defineStream({ name, root: name.toLowerCase(), partitions: 4 })
const { source, capture, hook } = takenOver(stream, hookUrl)
const shared = { connection, clock: systemClock, log: silentLog, stream, run: `${process.pid}` }
startSubjectSource({ ...shared, declaration: source, capture })
await send(connection, { stream, work: workStream(stream) }, hook)
console.log('started')
setInterval(() => undefined, 1_000)
