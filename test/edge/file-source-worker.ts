// A process that runs a file source until it is killed: node file-source-worker.ts URL STREAM FILE
import { connectBroker } from '../../src/broker/connection.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { defineFileSource } from '../../src/edge/tail/define-file-source.ts'
import { startFileSource } from '../../src/edge/tail/file-source.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { Asked } from '../delivery/running-handlers.ts'

const [url = '', name = '', file = ''] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'test',
  timeout: 5_000,
  origin: 'test',
})
const declaration = defineFileSource({ name: 'tail', to: { stream: name, events: [Asked] }, file, poll: '20ms' })
const stream = defineStream({ name, root: name.toLowerCase(), partitions: 4 })
startFileSource({ connection, clock: systemClock, log: silentLog, declaration, stream, run: `${process.pid}` })
console.log('started')
setInterval(() => undefined, 1_000)
