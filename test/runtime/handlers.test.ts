import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { pauseHandler } from '../../src/cli/pause/pause-handlers.ts'
import { readHandlers } from '../../src/cli/status/read-handlers.ts'
import { readStatus } from '../../src/cli/status/read-status.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('handlers of a deployment')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-handlers', import.meta.url))

test('are found, have a stream of work, run, are told of in the status, and stand still when they are paused', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  assert.equal(
    deployment.streams.map(({ name }) => name),
    ['SHOP', 'SHOP_WORK'],
  )
  const [handler] = deployment.handlers ?? []
  assert.is(handler?.declaration.name, 'confirm')
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  assert.ok((await planStreams(connection, deployment.streams)).every(({ kind }) => kind === 'unchanged'))
  const runtime = await createRuntime({ connection, deployment, clock: systemClock, log: silentLog, owner: 'test' })
  const place = deployment.registry.get('order.placed')
  const order = async (orderId: string): Promise<void> =>
    publishAll(connection, deployment.streams[0] as never, [place?.({ orderId }) as never])
  const confirmed = async (): Promise<number> => (await readAll(connection, 'SHOP', ['shop.*.order.confirmed'])).length
  await order('a')
  await order('bad')
  await eventually('confirmed', async () => (await confirmed()) === 1 || undefined)
  const [lag] = await eventually('one dead letter', async () => {
    const all = await readHandlers(connection, systemClock, deployment.handlers ?? [])
    return all[0]?.deadLetters === 1 && all[0].inFlight === 0 ? all : undefined
  })
  assert.equal([lag?.handler, lag?.pending, lag?.started, lag?.paused], ['confirm', 0, true, false])
  const status = await readStatus(connection, systemClock, deployment)
  assert.is(status.handlers.length, 1)
  assert.ok(status.processors.every(({ processor }) => !processor.includes('SHOP_WORK')))

  await pauseHandler(connection, systemClock, handler as NonNullable<typeof handler>, true)
  await systemClock.sleep(300)
  await order('b')
  await systemClock.sleep(500)
  assert.is(await confirmed(), 1)
  const [paused] = await readHandlers(connection, systemClock, deployment.handlers ?? [])
  assert.is(paused?.paused, true)
  await pauseHandler(connection, systemClock, handler as NonNullable<typeof handler>, false)
  await eventually('confirmed again', async () => (await confirmed()) === 2 || undefined)
  assert.equal(
    runtime.handlers.map(({ name }) => name),
    ['confirm'],
  )
  await runtime.stop()
})

test.run()
