// A process that runs the processors of kill-fixture.ts until it is killed: worker.ts URL STREAM ROOT
import { connectBroker } from '../../src/broker/connection.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { processors, registry } from './kill-fixture.ts'

const [url = '', name = '', root = ''] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'worker',
  timeout: 5_000,
  origin: 'test',
})
await Promise.all(
  processors(defineStream({ name, root, partitions: 4 })).map((processor) =>
    ProcessorRun.start(processor, {
      connection,
      registry,
      clock: systemClock,
      log: silentLog,
      owner: `worker-${process.pid}`,
      onFailure: (error) => {
        console.error(error.message)
        process.exit(error.code === 'PROCESSOR_FENCED' ? 3 : 1)
      },
    }),
  ),
)
console.log('ready')
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
