import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { defineDependency } from '../../../src/delivery/limits/define-dependency.ts'
import { Dependencies } from '../../../src/delivery/limits/dependencies.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { Asked, place } from '../running-handlers.ts'

const test = suite('dependencies of a process')

test('handlers of a process that begin side by side have one share of what they use, not one each', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const uses = [defineDependency(`bank-of-both-${process.pid}`, { concurrency: 4 })]
  const dependencies = new Dependencies({ connection, clock: systemClock, log: silentLog, chance: Math.random })
  atEnd(() => dependencies.stop())
  const on = { stream: at.stream.name, events: [Asked] }
  const gates = await Promise.all(
    ['a', 'b'].map((name) =>
      dependencies.gateOf({ ...at, declaration: defineHandler({ name, on, uses, handle: () => undefined }) }),
    ),
  )
  const event = {} as StoredEvent
  let [running, most] = [0, 0]
  const run = async (gate: (typeof gates)[number]): Promise<void> => {
    for (let left = 10; left > 0; left--) {
      for (let wait = gate.wait(event); wait !== undefined; wait = gate.wait(event)) await wait
      gate.entered()
      most = Math.max(most, (running += 1))
      await systemClock.sleep(20)
      running -= 1
      gate.left('ok', 20)
    }
  }
  await Promise.all(gates.flatMap((gate) => Array.from({ length: 8 }, () => run(gate))))
  assert.is(most, 4)
})

test('two different dependencies of one name are refused, side by side too', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const dependencies = new Dependencies({ connection, clock: systemClock, log: silentLog, chance: Math.random })
  atEnd(() => dependencies.stop())
  const on = { stream: at.stream.name, events: [Asked] }
  const gateOf = (concurrency: number) => {
    const uses = [defineDependency(`bank-of-two-${process.pid}`, { concurrency })]
    const declaration = defineHandler({ name: `of-${concurrency}`, on, uses, handle: () => undefined })
    return dependencies.gateOf({ ...at, declaration })
  }
  const made = await Promise.allSettled([gateOf(1), gateOf(2)])
  const refused = made.filter((one) => one.status === 'rejected').map(({ reason }) => (reason as { code: string }).code)
  assert.equal(refused, ['DEPENDENCY_INVALID'])
})

test.run()
