// An ordered handler whose runs never end: `status` of any process says so.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { readHandlerStall } from '../../../src/delivery/handler-stalls.ts'
import { Dependencies } from '../../../src/delivery/limits/dependencies.ts'
import { orderedProcessor } from '../../../src/delivery/ordered/ordered-processor.ts'
import { partitionsOf } from '../../../src/kernel/processor.ts'
import { ProcessorRun } from '../../../src/kernel/run-processor.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { OrderedHandlers } from '../../../src/runtime/ordered-handlers.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { ask, Asked, place, registry } from '../running-handlers.ts'

const test = suite('ordered handlers that stand still')

test('runs that do not end and have all the places are told to status, until they end', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const name = `stuck-${process.pid}`
  const ends: (() => void)[] = []
  const declaration = defineHandler({
    name,
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    timeout: 100,
    concurrency: 2,
    handle: () => new Promise<void>((resolve) => ends.push(resolve)),
  })
  const shared = { connection, clock: systemClock, log: silentLog }
  const dependencies = new Dependencies({ ...shared, chance: Math.random })
  const opened = new OrderedHandlers({ ...shared, registry, setting: () => undefined, dependencies })
  atEnd(() => opened.stop())
  const deployed = { declaration, emitsTo: undefined, ...at }
  const processor = orderedProcessor({ ...deployed, registry, ports: opened.portsOf(deployed as never) })
  for (const partition of partitionsOf(processor)) {
    const options = { ...shared, registry, owner: 'test', partition, onFailure: () => undefined }
    const run = await ProcessorRun.start(processor, options)
    atEnd(() => run.stop())
  }
  await ask(connection, at, 6)
  const stall = await eventually('told', () => readHandlerStall(connection, systemClock, name))
  assert.is(stall.code, 'HANDLER_STUCK')
  const release = setInterval(() => {
    for (const end of ends.splice(0)) end()
  }, 20)
  atEnd(() => clearInterval(release))
  const over = async (): Promise<boolean> => (await readHandlerStall(connection, systemClock, name)) === undefined
  await eventually('over', over)
})

test.run()
