// A process that runs units of window-logic.ts, one of which does not survive readings of a certain value:
// killed-worker.ts URL STREAM ROOT VALUE
import { connectBroker } from '../../src/broker/connection.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import type { Logic, Processor } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { registry } from '../support/kill-fixture.ts'
import { windowProcessor } from './window-logic.ts'

const [url = '', name = '', root = '', value = ''] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'worker',
  timeout: 5_000,
  origin: 'test',
})
const stream = defineStream({ name, root, partitions: 4 })

/** As it is, but for one value that it does not survive. */
function killing(processor: Processor): Processor {
  return {
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
  }
}

const options = {
  connection,
  registry,
  clock: systemClock,
  log: silentLog,
  owner: `worker-${process.pid}`,
  onFailure: (error: Error): void => {
    console.error(error.message)
    process.exit(1)
  },
}
await Promise.all([
  ProcessorRun.start(windowProcessor(stream, 'snapshot'), options),
  ProcessorRun.start(killing(windowProcessor(stream, 'keyed')), options),
  ProcessorRun.start(windowProcessor(stream, 'replay'), options),
])
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
