// Limits whose bucket takes no more writes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { defineDependency } from '../../../src/delivery/limits/define-dependency.ts'
import { Dependencies } from '../../../src/delivery/limits/dependencies.ts'
import { readHandlers, waitsFor } from '../../../src/cli/status/read-handlers.ts'
import { HandlersAtWork } from '../../../src/runtime/handlers-at-work.ts'
import { silentLog, type Log } from '../../../src/observe/log.ts'
import { OrderedHandlers } from '../../../src/runtime/ordered-handlers.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { startTestServer } from '../../support/nats.ts'
import { storedEvent } from '../../cep/stored-event.ts'
import { ask, Asked, place, registry } from '../running-handlers.ts'

const test = suite('limits that cannot be stored')
const STREAM = 'KV_millrace_dependencies'

test('11 events that wait for a bucket which takes no writes wait with a code, in log and status, and go on when it does', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const at = await place(connection)
  const told: Record<string, unknown>[] = []
  const tell = (fields: object, message?: string): void => void told.push({ ...fields, message })
  const log: Log = { debug: () => undefined, info: tell, warn: tell, error: tell }
  const dependencies = new Dependencies({ connection, clock: systemClock, log, chance: Math.random })
  atEnd(() => dependencies.stop())
  let done = 0
  const declaration = defineHandler({
    name: 'wait',
    on: { stream: at.stream.name, events: [Asked] },
    uses: [defineDependency('full', { concurrency: 3, rate: { limit: 100, per: '1s' } })],
    handle: () => void (done += 1),
  })
  const deployed = { declaration, ...at, emitsTo: undefined }
  const handlers = await HandlersAtWork.start({
    connection,
    registry,
    clock: systemClock,
    log,
    handlers: [deployed],
    setting: () => undefined,
    dependencies,
    onFailure: () => undefined,
  })
  atEnd(() => handlers.stop())
  const inStatus = async (): Promise<string> =>
    (await readHandlers(connection, systemClock, [deployed])).flatMap((one) => one.waitsFor).join()
  await ask(connection, at, 2)
  await eventually('it works', () => done === 2 || undefined)
  const { config } = await connection.manager.streams.info(STREAM)
  await connection.manager.streams.update(STREAM, { ...config, max_bytes: 1 })
  let asked = 2
  const isWrong = (one: Record<string, unknown>): boolean => one['code'] === 'DEPENDENCY_STATE_UNSTORED'
  // those that come first may still have what was leased before
  for (; !told.some(isWrong) && asked < 100; asked += 1) {
    await ask(connection, at, 1, { from: asked })
    await systemClock.sleep(300)
  }
  assert.match(String(told.find(isWrong)?.['detail']), /full/)
  await eventually('it stalls', () => handlers.status[0]?.stall?.code === 'DEPENDENCY_STATE_UNSTORED')
  await eventually('in millrace status', async () => /UNSTORED, .*full/.test(await inStatus()) || undefined)
  await systemClock.sleep(300)
  assert.is(told.filter(isWrong).length, 1, 'once, not at each try')
  await connection.manager.streams.update(STREAM, { ...config, max_bytes: -1 })
  await eventually('they go on', () => done === asked || undefined)
  await eventually('it stalls no more', () => handlers.status[0]?.stall === undefined)
  await eventually('not in millrace status any more', async () => (await inStatus()) === '' || undefined)
})

test('11 millrace status tells of an ordered handler that waits for such a bucket', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const at = await place(connection)
  const dependencies = new Dependencies({ connection, clock: systemClock, log: silentLog, chance: Math.random })
  const declaration = defineHandler({
    name: 'wait',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    uses: [defineDependency('full', { rate: { limit: 100, per: '1s' } })],
    handle: () => undefined,
  })
  const deployed = { declaration, ...at, emitsTo: undefined }
  const setting = (): undefined => undefined
  const shared = { connection, registry, clock: systemClock, log: silentLog, setting, dependencies }
  const ordered = new OrderedHandlers(shared)
  atEnd(() => ordered.stop())
  const { gate } = await ordered.portsOf(deployed).open()
  const { config } = await connection.manager.streams.info(STREAM)
  await connection.manager.streams.update(STREAM, { ...config, max_bytes: 1 })
  const waiting = gate.wait(storedEvent({ type: 'thing.asked', time: 0, data: { n: 0, key: 'k' } }))
  assert.ok(waiting)
  const told = async (): Promise<string> => (await waitsFor(connection, systemClock, deployed)).join()
  await eventually('in millrace status', async () => /UNSTORED, .*full/.test(await told()) || undefined)
  await connection.manager.streams.update(STREAM, { ...config, max_bytes: -1 })
  await waiting
  await eventually('not in millrace status any more', async () => (await told()) === '' || undefined)
})

test.run()
