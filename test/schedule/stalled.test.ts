// A schedule whose stream takes nothing more.
import { DiscardPolicy } from '@nats-io/jetstream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { printSchedules, readSchedules } from '../../src/cli/status/read-schedules.ts'
import { silentLog } from '../../src/observe/log.ts'
import { SchedulesAtWork } from '../../src/runtime/schedules-at-work.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { cliContext } from '../support/cli-context.ts'
import { connectTo, eventually, freshStream } from '../support/broker.ts'
import { countOf } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'
import { schedule } from './world.ts'

const test = suite('schedules that stand still')

test('status says why a schedule cannot store its ticks, and no more of it when it goes on', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const stream = await freshStream(connection)
  const { streams } = connection.manager
  // one that refuses, where others would let the oldest go
  const { config } = await streams.info(stream.name)
  const refusing = { ...config, allow_msg_schedules: false, discard: DiscardPolicy.New }
  await streams.delete(stream.name)
  await streams.add(refusing as never)
  const declaration = schedule({ name: 'full', stream: stream.name, every: '300ms' })
  const schedules = [{ declaration, stream }]
  const work = new SchedulesAtWork({ connection, clock: systemClock, log: silentLog, owner: 'one', schedules })
  const run = await work.start('schedule-full')
  const ticks = (): Promise<number> => countOf(connection, stream, 'report.due')
  await eventually('it works', async () => (await ticks()) > 0 || undefined)
  const row = async () => (await readSchedules(connection, schedules))[0]
  assert.is((await row())?.stall, undefined)
  await streams.update(stream.name, { ...refusing, max_bytes: 1 } as never)
  const stalled = await eventually('told', async () => {
    const now = await row()
    return now?.stall === undefined ? undefined : now
  })
  assert.is(stalled.stall?.code, 'STREAM_FULL')
  const { out } = cliContext()
  printSchedules(out, [stalled])
  assert.match(out.text(), /^schedule-full: stands still: STREAM_FULL, /m)
  await streams.update(stream.name, { ...refusing, max_bytes: -1 } as never)
  const before = await ticks()
  await eventually('it goes on', async () => (await ticks()) > before || undefined)
  await eventually('told', async () => (await row())?.stall === undefined || undefined)
  await run.stop()
})

test.run()
