// Ordered handlers behind real breakers, limits and rates.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../../src/broker/connection.ts'
import { fixed } from '../../../src/delivery/backoff.ts'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import type { Gate } from '../../../src/delivery/gate.ts'
import type { HandlerDeclaration } from '../../../src/delivery/handler-options.ts'
import { defineDependency } from '../../../src/delivery/limits/define-dependency.ts'
import { Dependencies } from '../../../src/delivery/limits/dependencies.ts'
import { retry } from '../../../src/delivery/recovery.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { sharedServer } from '../../support/nats.ts'
import { ask, Asked, letters, place, type Place } from '../running-handlers.ts'
import { workInOrder, type RunningOrdered } from './running-ordered.ts'

const test = suite('limits of ordered handlers')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const fresh = (name: string): string => `${name}-${process.pid}`

/** Puts one to work behind the gate that its declaration asks for, as a process does. */
async function workLimited(
  connection: Connection,
  at: Place,
  declaration: HandlerDeclaration,
): Promise<RunningOrdered & { readonly gate: Gate }> {
  const dependencies = new Dependencies({ connection, clock: systemClock, log: silentLog, chance: Math.random })
  atEnd(() => dependencies.stop())
  const gate = await dependencies.gateOf({ declaration, ...at })
  return { ...(await workInOrder(connection, at, declaration, gate)), gate }
}

test('14 of what a dependency allows at a time there is never more, whichever units and processes ask', async () => {
  const connection = await sharedConnection()
  const other = await connectTo((await sharedServer()).url)
  const at = await place(connection)
  const bank = defineDependency(fresh('narrow'), { concurrency: 2 })
  let [now, most, done] = [0, 0, 0]
  const declarationOf = (name: string): HandlerDeclaration =>
    defineHandler({
      name,
      on: { stream: at.stream.name, events: [Asked] },
      order: 'key',
      uses: [bank],
      handle: async () => {
        most = Math.max(most, (now += 1))
        await pause(10)
        now -= 1
        done += 1
      },
    })
  await workLimited(connection, at, declarationOf('narrow'))
  await workLimited(other, at, declarationOf('narrow-too'))
  await ask(connection, at, 35)
  await eventually('all', () => done === 70 || undefined)
  assert.is(most, 2)
})

test('its own rate holds, and the order of keys with it', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: { readonly n: number; readonly at: number }[] = []
  const declaration = defineHandler({
    name: fresh('rated'),
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    rate: { limit: 40, per: '1s' },
    handle: ({ data: { n } }) => void seen.push({ n, at: performance.now() }),
  })
  await ask(connection, at, 112)
  const { failures } = await workLimited(connection, at, declaration)
  await eventually('all', () => seen.length === 112 || undefined)
  const took = (seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? 0)
  // what is there at once, and two leases, go beside the rate; how late the last one is is the machine's matter, too
  assert.ok(took > 1_000 && took < 25_000, `${took} ms`)
  for (let key = 0; key < 7; key++) {
    const own = seen.map(({ n }) => n).filter((n) => n % 7 === key)
    assert.equal(
      own,
      own.toSorted((a, b) => a - b),
    )
  }
  assert.equal(failures, [])
})

test('DP1 DP2 20 while a real breaker is open one event is the probe; no attempt is burnt, and it goes on in order', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const breaker = { failures: 0.5, of: 6, within: '10s', open: '400ms', most: '800ms' } as const
  const bank = defineDependency(fresh('away'), { breaker })
  let up = false
  const runs: { readonly n: number; readonly attempt: number; readonly ok: boolean }[] = []
  const declaration = defineHandler({
    name: fresh('careful'),
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    uses: [bank],
    recovery: retry({ attempts: 4, immediate: 0, backoff: fixed('50ms') }),
    handle: async ({ data: { n } }, { attempt }) => {
      const ok = up
      runs.push({ n, attempt, ok })
      await pause(2)
      if (!ok) throw new Error('away')
    },
  })
  await ask(connection, at, 35)
  const { gate, failures } = await workLimited(connection, at, declaration)
  await eventually('closed', () => !gate.open || undefined)
  await pause(100)
  const [before, began] = [runs.length, performance.now()]
  await eventually('probes', () => runs.length >= before + 2 || undefined)
  await pause(300) // in which there would be many, if it were not open
  const [probes, time] = [runs.length - before, performance.now() - began]
  // the first may come at once, the second after twice 0.4 s, and so on
  assert.ok(probes <= 2 + time / 790, `${probes} probes in ${time} ms`)
  up = true
  await eventually('all', () => new Set(runs.filter(({ ok }) => ok).map(({ n }) => n)).size === 35 || undefined)
  const done = runs.filter(({ ok }) => ok).map(({ n }) => n)
  for (let key = 0; key < 7; key++) {
    const own = done.filter((n) => n % 7 === key)
    assert.equal(
      own,
      own.toSorted((a, b) => a - b),
    )
  }
  assert.equal(await letters(connection, at), [])
  assert.equal(failures, [])
})

test.run()
