// A process that runs a file sink until it is killed: node file-sink-worker.ts URL STREAM FOLDER
import { connectBroker } from '../../src/broker/connection.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { defineFileSink } from '../../src/edge/file/define-file-sink.ts'
import { startFileSink } from '../../src/edge/file/file-sink.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { Asked, registry } from '../delivery/running-handlers.ts'

const [url = '', name = '', directory = ''] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'test',
  timeout: 5_000,
  origin: 'test',
})
const declaration = defineFileSink({
  name: 'killed',
  from: { stream: name, events: [Asked] },
  directory,
  batch: 7,
  rotate: { bytes: 20_000 },
})
const stream = defineStream({ name, root: name.toLowerCase(), partitions: 4 })
startFileSink({ connection, registry, clock: systemClock, log: silentLog, declaration, stream, run: `${process.pid}` })
console.log('started')
setInterval(() => undefined, 1_000)
