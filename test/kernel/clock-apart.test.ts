// Processes whose clock is an hour away from that of the server, which dates the events. On a real server.
import { bufferTime, filter, map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { High, Reading } from '../support/kill-fixture.ts'
import { eventsOf, publishPacks } from '../support/packs.ts'
import { start, stored } from './running.ts'

const test = suite('a clock that is not the server’s')

const HOUR = 3_600_000
const away = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms })

function counting(stream: StreamDeclaration, window: number) {
  const declared = definePipeline({
    name: 'counting',
    version: 1,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [High] },
    recovery: { mode: 'slots', idle: '2h' },
    pipeline: (readings$) =>
      readings$.pipe(
        bufferTime(window),
        filter((readings) => readings.length > 0),
        map((readings) => High({ machine: 'a', value: readings.length })),
      ),
  })
  return pipelineProcessor(declared, { from: stream, to: stream })
}

async function running(ahead: number, window: number) {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  // in one message, so that they are stored at one time and no window ends between them
  const events = eventsOf([Reading({ machine: 'a', value: 1 }), Reading({ machine: 'a', value: 2 })])
  await publishPacks(connection, stream, [events])
  const { run, failures } = await start(connection, counting(stream, window), { clock: away(ahead) })
  await eventually('handled', () => run.counts.turns === 1)
  const values = async () => (await stored(connection, stream, High.type)).map(({ data }) => data['value'])
  return { run, failures, values }
}

test('S2 a process whose clock is an hour ahead closes no window early', async () => {
  const { run, failures, values } = await running(HOUR, 600_000)
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.equal(await values(), [])
  await run.stop()
  assert.equal(failures, [])
})

for (const [name, ahead] of [
  ['ahead', HOUR],
  ['behind', -HOUR],
] as const)
  test(`S2 a process whose clock is an hour ${name} closes a window when it is over by the server’s`, async () => {
    const begun = Date.now()
    const { run, failures, values } = await running(ahead, 300)
    await eventually('closed', async () => (await values()).length === 1)
    assert.ok(Date.now() - begun < 60_000, `${Date.now() - begun} ms`)
    assert.equal(await values(), [2])
    await run.stop()
    assert.equal(failures, [])
  })

test.run()
