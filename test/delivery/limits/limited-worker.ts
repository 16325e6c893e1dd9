// A process that does as much as it is let through: limited-worker.ts URL STREAM DEPENDENCY. Writes when each run began and
// ended, in ms since the epoch.
import { connectBroker } from '../../../src/broker/connection.ts'
import { defineStream } from '../../../src/broker/define-stream.ts'
import { workStream } from '../../../src/broker/work-stream.ts'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { defineDependency } from '../../../src/delivery/limits/define-dependency.ts'
import { Dependencies } from '../../../src/delivery/limits/dependencies.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { Asked } from '../running-handlers.ts'

const [url = '', name = '', dependency = ''] = process.argv.slice(2)
const auth = { kind: 'none' } as const
const connection = await connectBroker({ servers: [url], auth, name: 'worker', timeout: 5_000, origin: 'test' })
const stream = defineStream({ name, root: name.toLowerCase(), partitions: 4 })
const bank = defineDependency(dependency, { concurrency: 5, rate: { limit: 400, per: '1s' } })
const declaration = defineHandler({
  name: 'pay',
  on: { stream: name, events: [Asked] },
  uses: [bank],
  handle: () => undefined,
})
const dependencies = new Dependencies({ connection, clock: systemClock, log: silentLog, chance: Math.random })
const gate = await dependencies.gateOf({ declaration, stream, work: workStream(stream) })
const event = { id: 'x' } as unknown as StoredEvent
const now = (): number => performance.timeOrigin + performance.now()

async function runner(): Promise<never> {
  for (;;) {
    const wait = gate.wait(event)
    if (wait !== undefined) {
      await wait
      continue
    }
    gate.entered()
    const began = now()
    await systemClock.sleep(8)
    const ended = now()
    gate.left('ok', ended - began)
    process.stdout.write(`${began} ${ended}\n`)
  }
}

for (let n = 0; n < 6; n++) void runner()
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
