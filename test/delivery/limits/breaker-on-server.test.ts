import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../../src/broker/connection.ts'
import { readLast } from '../../../src/broker/last-message.ts'
import { fixed } from '../../../src/delivery/backoff.ts'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import type { Gate } from '../../../src/delivery/gate.ts'
import type { BreakerState } from '../../../src/delivery/limits/breaker.ts'
import { defineDependency, type DependencyOptions } from '../../../src/delivery/limits/define-dependency.ts'
import { Dependencies } from '../../../src/delivery/limits/dependencies.ts'
import type { HandlerRun } from '../../../src/delivery/handler-run.ts'
import { readBreakers } from '../../../src/delivery/limits/read-breakers.ts'
import { retry } from '../../../src/delivery/recovery.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { sharedServer } from '../../support/nats.ts'
import { ask, Asked, consumerOf, letters, place, work, type Place } from '../running-handlers.ts'

const test = suite('breaker on a server')

let serial = 0
const freshName = (): string => `bank-${process.pid}-${(serial += 1)}`

const BREAKER = { failures: 0.5, of: 6, within: '10s', open: '400ms', most: '1s' } as const

interface World {
  up: boolean
  /** Runs: when each began and ended, and in which process. */
  readonly runs: { worker: number; n: number; at: number; attempt: number }[]
}

/** Workers with a connection each, as processes have them. */
async function workers(at: Place, world: World, name: string, options: DependencyOptions, many = 3) {
  const { url } = await sharedServer()
  const bank = defineDependency(name, options)
  const made: { gate: Gate; run: HandlerRun }[] = []
  for (let worker = 0; worker < many; worker++) {
    const connection = await connectTo(url)
    const declaration = defineHandler({
      name: 'pay',
      on: { stream: at.stream.name, events: [Asked] },
      uses: [bank],
      concurrency: 4,
      recovery: retry({ attempts: 4, immediate: 0, backoff: fixed('50ms') }),
      handle: async ({ data }, { attempt }) => {
        world.runs.push({ worker, n: data.n, at: performance.now(), attempt })
        await new Promise((resolve) => setTimeout(resolve, 5))
        if (!world.up) throw new Error('the bank is away')
      },
    })
    const dependencies = new Dependencies({ connection, clock: systemClock, log: silentLog, chance: Math.random })
    const gate = await dependencies.gateOf({ declaration, ...at })
    const { run } = await work(connection, at, declaration, { gate })
    atEnd(() => dependencies.stop())
    made.push({ gate, run })
  }
  return made
}

async function stateOf(connection: Connection, name: string): Promise<BreakerState | undefined> {
  const bucket = 'millrace_dependencies'
  const last = await readLast(connection, `KV_${bucket}`, `$KV.${bucket}.breaker.${name}`)
  return last === undefined ? undefined : (JSON.parse(Buffer.from(last.data).toString()) as BreakerState)
}

test('DP1 DP2 20 while what it depends on is away, nothing is burnt: no deliveries, no attempts, one probe at a time', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const name = freshName()
  const world: World = { up: false, runs: [] }
  const all = await workers(at, world, name, { breaker: BREAKER })
  await ask(connection, at, 60)
  await eventually('open', async () => (await stateOf(connection, name))?.kind === 'open')
  await eventually('closed gates', () => all.every(({ gate }) => !gate.open))
  const [closed, since] = [world.runs.length, performance.now()]
  // between its probes it is so, again and again
  await eventually('told', () => /left alone until .*HANDLER_FAILED/.test(all[0]?.gate.closedBecause ?? ''))
  await eventually('paused', async () => (await consumerOf(connection, at.stream.name, 'handler-pay')).paused === true)
  const told = async (): Promise<string> => (await readBreakers(connection, [name, 'other']))[0] ?? ''
  await eventually('told to others', async () => /left alone until/.test(await told()))
  await eventually('handed back', () => all.every(({ gate, run }) => !gate.open && run.status.held === 0))
  const before = world.runs.length
  // three probes fail: after 0.4, 0.8 and 1 s
  await eventually('three probes', () => world.runs.length >= before + 3)
  const probes = world.runs.slice(before)
  for (const [nth, probe] of probes.entries())
    if (nth > 0) assert.ok(probe.at - (probes[nth - 1]?.at ?? 0) >= 390, `${nth}: ${JSON.stringify(probes)}`)
  world.up = true
  // probes, and at most what was past the gates already when they closed
  const [burnt, most] = [world.runs.length - closed, 12 + 1 + (performance.now() - since) / 390]
  assert.ok(burnt <= most, `${burnt} runs while it was open, ${most} may be`)
  const done = new Set<number>()
  await eventually(
    'all done',
    () => {
      for (const { n, at: when } of world.runs) if (when > (probes.at(-1)?.at ?? 0)) done.add(n)
      return done.size >= 55 || undefined
    },
    30_000,
  )
  await eventually('nothing open', async () => {
    const own = await consumerOf(connection, at.stream.name, 'handler-pay')
    const due = await consumerOf(connection, at.work.name, 'handler-pay')
    const open = own.num_ack_pending + own.num_pending + due.num_ack_pending + due.num_pending
    return (open === 0 && new Set(world.runs.map(({ n }) => n)).size === 60) || undefined
  })
  assert.equal(await letters(connection, at), [])
  assert.is((await stateOf(connection, name))?.kind, 'closed')
})

test('20 the naive handler, without a breaker, burns every attempt in the same time', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const world: World = { up: false, runs: [] }
  await workers(at, world, freshName(), {})
  await ask(connection, at, 60)
  await eventually('dead letters', async () => (await letters(connection, at)).length >= 60 || undefined)
})

test('DP1 who has the probe and dies is waited for no longer than its lease', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const name = freshName()
  const world: World = { up: false, runs: [] }
  // so long that its own process does not take the probe before
  await workers(at, world, name, { breaker: { ...BREAKER, open: '3s', most: '3s' } }, 1)
  await ask(connection, at, 10)
  const state = await eventually('open', async () => {
    const found = await stateOf(connection, name)
    return found?.kind === 'open' ? found : undefined
  })
  // somebody takes the probe at once, and is never heard of again
  const taken = {
    kind: 'half-open',
    trips: 1,
    cause: 'x',
    succeeded: 0,
    probe: { owner: 'gone', until: state.until + 1_500 },
  }
  connection.nats.publish(`$KV.millrace_dependencies.breaker.${name}`, JSON.stringify(taken))
  world.up = true
  await eventually('closed', async () => (await stateOf(connection, name))?.kind === 'closed')
  assert.ok(Date.now() > taken.probe.until - 500, 'it did not wait for the lease')
  await eventually('all done', () => new Set(world.runs.map(({ n }) => n)).size === 10 || undefined)
})

test('a pause that somebody has ordered is longer than that of a breaker, and stays', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const name = freshName()
  const world: World = { up: false, runs: [] }
  await workers(at, world, name, { breaker: { ...BREAKER, open: '200ms' } }, 1)
  const later = Date.now() + 3_600_000
  await connection.manager.consumers.pause(at.work.name, 'handler-pay', new Date(later))
  await ask(connection, at, 40)
  await eventually('open', async () => (await stateOf(connection, name))?.kind === 'open')
  world.up = true
  await eventually('closed', async () => (await stateOf(connection, name))?.kind === 'closed')
  const { config } = await consumerOf(connection, at.work.name, 'handler-pay')
  assert.is(Date.parse(config.pause_until ?? ''), later)
})

test.run()
