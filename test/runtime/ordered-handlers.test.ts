import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { listCommand } from '../../src/cli/dead-letters/list-command.ts'
import { redriveCommand } from '../../src/cli/dead-letters/redrive-command.ts'
import { statusCommand } from '../../src/cli/status/status-command.ts'
import { readStatus } from '../../src/cli/status/read-status.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { publishAll, readAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'
import { world } from '../fixtures/streams-ordered/shop/handlers/ship.ts'

const test = suite('ordered handlers of a deployment')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-ordered', import.meta.url))

test('23 they are found and run as processors, and their dead letters come back to them', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  assert.equal(
    [deployment.handlers?.length, deployment.ordered?.map(({ declaration }) => declaration.name)],
    [0, ['ship']],
  )
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const runtime = await createRuntime({ connection, deployment, clock: systemClock, log: silentLog, owner: 'test' })
  const place = deployment.registry.get('order.placed')
  const orders = ['a', 'bad', 'b'].map((orderId) => place?.({ orderId }) as never)
  await publishAll(connection, deployment.streams[0] as never, orders)
  const confirmed = async (): Promise<number> => (await readAll(connection, 'SHOP', ['shop.*.order.confirmed'])).length
  await eventually('confirmed', async () => (await confirmed()) === 2 || undefined)
  const context = (): TestContext => ({
    ...cliContext({ json: true }),
    deployment: async () => deployment,
    connect: async () => connection,
  })
  const list = async (): Promise<Record<string, unknown>[]> => {
    const own = context()
    await listCommand(own, { limit: 10 })
    return (JSON.parse(own.out.text()) as { deadLetters: Record<string, unknown>[] }).deadLetters
  }
  const [letter] = await eventually('a dead letter', async () => {
    const all = await list()
    return all.length > 0 ? all : undefined
  })
  assert.equal([letter?.['processor'], letter?.['code']], ['handler-ship', 'HANDLER_REFUSED'])
  const status = await readStatus(connection, systemClock, deployment)
  assert.is(status.handlers.length, 0)
  assert.ok(status.processors.some(({ processor }) => processor === 'handler-ship'))
  world.broken = false
  const own = context()
  await redriveCommand(own, [Number(letter?.['number'])], { wait: true })
  assert.is((JSON.parse(own.out.text().split('\n')[0] ?? '') as { outcome: string }).outcome, 'handled')
  assert.is(await confirmed(), 3)
  const bad = world.seen.filter((one) => one.startsWith('bad'))
  assert.equal(bad, ['bad 1 0 32', 'bad 1 1 32'])
  const cause = 'it is on strike'
  const open = { kind: 'open', until: Date.now() + 600_000, trips: 1, cause }
  connection.nats.publish('$KV.millrace_dependencies.breaker.carrier', JSON.stringify(open))
  const why = await eventually('status names it', async () => {
    const { processors } = await readStatus(connection, systemClock, deployment)
    const ship = processors.find(({ processor }) => processor === 'handler-ship')
    return ship?.kind === 'run' && ship.waitsFor.length > 0 ? ship.waitsFor : undefined
  })
  assert.match(why.join(), /^carrier is left alone until .*: it is on strike$/)
  const shown = { ...cliContext(), deployment: context().deployment, connect: context().connect }
  await statusCommand(shown, undefined)
  assert.match(shown.out.text(), /^handler-ship waits: carrier is left alone until .*: it is on strike$/m)
  await runtime.stop()
})

test.run()
