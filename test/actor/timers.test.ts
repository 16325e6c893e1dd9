// Timers of aggregates on a real server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { cancelTimer, setTimer } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { timerFilter } from '../../src/actor/timer-message.ts'
import { defineCommand, type CommandDraft } from '../../src/actor/define-command.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { Runtime } from '../../src/runtime/create-runtime.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { ownServer } from '../support/nats.ts'
import { deploy, recordsOf, tellAll, work } from './running-actors.ts'

const test = suite('timers of actors')

const key = ({ id }: { id: string }): string => id
const timer = z.object({ id: z.string(), name: z.string(), ms: z.number() })
const named = z.object({ id: z.string(), name: z.string() })
const Set = defineCommand('alarm.set', { data: timer, key })
const Cancel = defineCommand('alarm.cancel', { data: named, key })
const Ring = defineCommand('alarm.ring', { data: timer, key })
const Was = defineEvent('alarm.was-set', { data: named, key })
const Rang = defineEvent('alarm.rang', { data: timer, key })
const alarm = defineActor({
  name: 'alarm',
  version: 1,
  initial: () => ({}),
  commands: [Set, Cancel, Ring],
  events: [Was, Rang],
  decide: {
    'alarm.set': (_, { data: { id, name, ms } }) => [
      Was({ id, name }),
      setTimer(name, ms < 1e9 ? `${ms}ms` : ms, Ring({ id, name, ms })),
    ],
    'alarm.cancel': (_, { data: { name } }) => [cancelTimer(name)],
    'alarm.ring': (_, { data }) => [Rang(data)],
  },
  evolve: { 'alarm.was-set': (state) => state, 'alarm.rang': (state) => state },
})

const rung = async (connection: Connection, deployment: Deployment, id?: string): Promise<Record<string, unknown>[]> =>
  (await recordsOf(connection, deployment, id)).flatMap(({ events }) =>
    events.filter(({ type }) => type === Rang.type).map(({ data }) => data),
  )

/**
 * Sets timers in a deployment of its own, so far ahead that all are pending before the first is due: farther, in a new
 * one, where the machine is too busy for that.
 */
async function allPending(
  connection: Connection,
  leastMs: number,
  alarms: (due: number) => CommandDraft[],
): Promise<{ readonly due: number; readonly deployment: Deployment; readonly runtime: Runtime }> {
  for (let ahead = leastMs; ; ahead *= 3) {
    const deployment = await deploy(connection, [alarm])
    const due = Date.now() + ahead
    const all = alarms(due)
    await tellAll(connection, deployment, all)
    const runtime = await work(connection, deployment)
    let most = 0
    const settled = async (): Promise<boolean> => {
      most = Math.max(most, await pending(connection, deployment))
      return most === all.length || Date.now() > due
    }
    await eventually('all are set, or the first is due', settled, ahead + 30_000)
    if (most === all.length) return { due, deployment, runtime }
    assert.ok(ahead < 100_000, `${most} of ${all.length} are pending`)
    await runtime.stop()
  }
}

async function pending(connection: Connection, { streams: [stream] }: Deployment): Promise<number> {
  const filter = timerFilter(stream?.name ?? '')
  const { state } = await connection.manager.streams.info(stream?.name ?? '', { subjects_filter: filter })
  return Object.keys(state.subjects ?? {}).length
}

test('AT1 AT2 a timer fires once; one that is replaced or cancelled does not, also when all of that is in one batch', async () => {
  const connection = await sharedConnection()
  const deployment = await deploy(connection, [alarm])
  await tellAll(connection, deployment, [
    Set({ id: 'a', name: 'x', ms: 100 }),
    Set({ id: 'b', name: 'x', ms: 60_000 }),
    Set({ id: 'b', name: 'x', ms: 150 }),
    Set({ id: 'b', name: 'y', ms: 200 }),
    Cancel({ id: 'b', name: 'y' }),
    Cancel({ id: 'b', name: 'never set' }),
    ...Array.from({ length: 20 }, (_, at) => Set({ id: 'c', name: 'again', ms: 400 - at })),
  ])
  const runtime = await work(connection, deployment)
  await eventually('three', async () => (await rung(connection, deployment)).length === 3)
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.equal(
    (await rung(connection, deployment))
      .map(({ id, name, ms }) => `${id as string} ${name as string} ${ms as number}`)
      .sort(),
    ['a x 100', 'b x 150', 'c again 381'],
  )
  await eventually('none is pending', async () => (await pending(connection, deployment)) === 0)
  await runtime.stop()
})

test('AT1 AT3 timers that were due while server and worker were down fire once; those of an aggregate in order of their due time', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const names = Array.from({ length: 40 }, (_, at) => at)
  const { due, deployment, runtime } = await allPending(connection, 2_000, (first) => [
    // set in another order than that in which they are due
    ...names.map((at) => Set({ id: 'one', name: `t${at}`, ms: first + ((at * 17) % 40) * 10 })),
    ...names.map((at) => Set({ id: `k${at}`, name: 'only', ms: first })),
  ])
  await runtime.stop()
  await server.kill()
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, due + 600 - Date.now())))
  await server.restart()
  const again = await connectTo(server.url)
  const after = await work(again, deployment, 'two')
  await eventually('all have fired', async () => (await rung(again, deployment)).length >= 80)
  await new Promise((resolve) => setTimeout(resolve, 300))
  const all = await rung(again, deployment)
  assert.is(all.length, 80)
  const ofOne = all.filter(({ id }) => id === 'one').map(({ ms }) => ms as number)
  assert.equal(
    ofOne,
    [...ofOne].sort((a, b) => a - b),
  )
  await eventually('none is pending', async () => (await pending(again, deployment)) === 0)
  await after.stop()
})

test('AT1 many thousand timers are pending at once, and each fires', async () => {
  const connection = await sharedConnection()
  const count = Number(process.env['MILLRACE_TIMERS'] ?? 500)
  const { due, deployment, runtime } = await allPending(connection, 3_000 + 5 * count, (first) =>
    Array.from({ length: count }, (_, at) => Set({ id: `k${at}`, name: 'x', ms: first + (at % 500) })),
  )
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - Date.now())))
  await eventually(
    'all have fired',
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return (await rung(connection, deployment)).length === count
    },
    60_000 + 2 * count,
  )
  assert.is(new globalThis.Set((await rung(connection, deployment)).map(({ id }) => id)).size, count)
  await runtime.stop()
})

test.run()
