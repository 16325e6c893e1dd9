// A process that runs one unit of window-logic.ts until a reading of a certain value ends it:
// killed-worker.ts URL STREAM ROOT MEMORY VALUE
import { connectBroker } from '../../src/broker/connection.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import type { Logic, MemoryKind } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { registry } from '../support/kill-fixture.ts'
import { windowProcessor } from './window-logic.ts'

const [url = '', name = '', root = '', memory = '', value = ''] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'worker',
  timeout: 5_000,
  origin: 'test',
})
const processor = windowProcessor(defineStream({ name, root, partitions: 4 }), memory as MemoryKind)
await ProcessorRun.start(
  {
    ...processor,
    start: (from, onBroken) => {
      const logic: Logic = processor.start(from, onBroken)
      const turn = logic.turn.bind(logic)
      logic.turn = (event, onFailure) => {
        if (String((event.data as { value: number }).value) === value) process.kill(process.pid, 'SIGKILL')
        return turn(event, onFailure)
      }
      return logic
    },
  },
  {
    connection,
    registry,
    clock: systemClock,
    log: silentLog,
    owner: `worker-${process.pid}`,
    onFailure: (error) => {
      console.error(error.message)
      process.exit(1)
    },
  },
)
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
