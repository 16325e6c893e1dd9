// A process that runs a view until it is killed: view-worker.ts URL STREAM ROOT VERSION
import { connectBroker } from '../../src/broker/connection.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { runView } from './sample-view.ts'

const [url = '', name = '', root = '', version = '1'] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'view worker',
  timeout: 5_000,
  origin: 'test',
})
const { runs } = await runView(connection, defineStream({ name, root, partitions: 4 }), {
  version: Number(version),
  memory: { rows: 30 },
})
console.log('ready')
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1 || runs.some(({ failures }) => failures.length > 0)) process.exit(1)
}, 500)
