// Timers that were set before the number of partitions changed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { setTimer } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { changePartitions, deploy, recordsOf, tellAll, work } from './running-actors.ts'

const test = suite('timers of actors whose stream was repartitioned')

const key = ({ id }: { id: string }): string => id
const timer = z.object({ id: z.string(), due: z.number() })
const Set = defineCommand('alarm.set', { data: timer, key })
const Ring = defineCommand('alarm.ring', { data: timer, key })
const Rang = defineEvent('alarm.rang', { data: timer, key })
const alarm = defineActor({
  name: 'alarm',
  version: 1,
  initial: () => ({}),
  commands: [Set, Ring],
  events: [Rang],
  decide: {
    'alarm.set': (_, { data }) => [setTimer('alarm', data.due, Ring(data))],
    'alarm.ring': (_, { data }) => [Rang(data)],
  },
  evolve: { 'alarm.rang': (state) => state },
})
const AHEAD_MS = 15_000

const rung = async (connection: Connection, deployment: Deployment): Promise<string[]> =>
  (await recordsOf(connection, deployment)).flatMap(({ id, events }) => events.map(() => id)).sort()

for (const to of [1, 9])
  test(`AT1 timers that were set with 4 partitions fire once with ${to}`, async () => {
    const connection = await sharedConnection()
    const before = await deploy(connection, [alarm])
    const ids = Array.from({ length: 20 }, (_, at) => `k${String(at).padStart(2, '0')}`)
    const due = Date.now() + AHEAD_MS
    await tellAll(
      connection,
      before,
      ids.map((id) => Set({ id, due })),
    )
    const first = await work(connection, before)
    await eventually('all are set', async () => (await recordsOf(connection, before)).length === ids.length)
    await first.stop()
    const after = await changePartitions(connection, before, to)
    assert.ok(Date.now() < due, 'it is not due before that')
    const second = await work(connection, after, 'two')
    await eventually(
      'all have come',
      async () => (await rung(connection, after)).length >= ids.length,
      AHEAD_MS + 10_000,
    ).catch(() => undefined)
    assert.equal(await rung(connection, after), ids)
    await second.stop()
  })

test('AT1 timers that are set and fire while the number of partitions becomes smaller fire once', async () => {
  const connection = await sharedConnection()
  const before = await deploy(connection, [alarm])
  const first = await work(connection, before)
  const ids: string[] = []
  const end = new AbortController()
  const flow = (async (): Promise<void> => {
    while (!end.signal.aborted) {
      const some = Array.from({ length: 8 }, (_, at) => `k${String(ids.length + at).padStart(5, '0')}`)
      ids.push(...some)
      await tellAll(
        connection,
        before,
        some.map((id, at) => Set({ id, due: Date.now() + 300 * at })),
      )
      await systemClock.sleep(20)
    }
  })()
  await eventually('it works', async () => (await rung(connection, before)).length > 0)
  const after = await changePartitions(connection, before, 1)
  end.abort()
  await flow
  await first.stop()
  const second = await work(connection, after, 'two')
  await eventually('all have come', async () => (await rung(connection, after)).length >= ids.length).catch(
    () => undefined,
  )
  assert.equal(await rung(connection, after), ids)
  await second.stop()
})

test.run()
