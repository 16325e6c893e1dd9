// Handlers whose stream moves, whose server ends and comes back, and whose link is away for many times their ack wait.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { fixed } from '../../src/delivery/backoff.ts'
import { retry } from '../../src/delivery/recovery.ts'
import type { HandlerDeclaration } from '../../src/delivery/handler-options.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { startCluster } from '../support/cluster.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer, startTestServer } from '../support/nats.ts'
import { upTo } from '../support/numbered.ts'
import { Asked, ask, consumerOf, inWork, letters, place, work, type Place } from './running-handlers.ts'

const test = suite('handlers whose server is elsewhere, or has another time')

/** Handles each event at the second attempt when it is one in seven, and counts the effects. */
function counting(at: Place, slow = 0): { declaration: HandlerDeclaration; effects: Map<number, number> } {
  const effects = new Map<number, number>()
  const declaration = defineHandler({
    name: 'counting',
    on: { stream: at.stream.name, events: [Asked] },
    ackWait: '1s',
    concurrency: 8,
    recovery: retry({ attempts: 5, immediate: 0, backoff: fixed('50ms') }),
    handle: async ({ data: { n } }, { attempt }) => {
      await systemClock.sleep(slow)
      if (n % 7 === 0 && attempt === 1) throw new Error('not yet')
      effects.set(n, (effects.get(n) ?? 0) + 1)
    },
  })
  return { declaration, effects }
}

function unlessTimeout(error: unknown): undefined {
  if (!(error instanceof Error && error.message.includes('timeout'))) throw error
}

/** Nothing is open, waits for another attempt, or is a dead letter. */
async function settled(connection: Connection, at: Place): Promise<void> {
  await eventually(
    'everything is done',
    async () => {
      // while a leader is elected nobody answers
      const open = await consumerOf(connection, at.stream.name, 'handler-counting').catch(unlessTimeout)
      const waiting = await inWork(connection, at).catch(unlessTimeout)
      if (open === undefined || waiting === undefined) return undefined
      return open.num_ack_pending + open.num_pending + waiting === 0 || undefined
    },
    90_000,
  )
  assert.equal(await letters(connection, at), [])
}

test('DL1 DL5 10 a stream that moves to another server, twice, takes no event with it', async () => {
  const cluster = await startCluster()
  const connection = await cluster.connect()
  const at = await place(connection, { replicas: 3 })
  await cluster.healthy(at.stream.name)
  const { declaration, effects } = counting(at)
  const { failures } = await work(await cluster.connect(await cluster.leaderOf(at.stream.name)), at, declaration)
  const asked = ask(connection, at, 1_000)
  await eventually('it is at work', () => effects.size > 100 || undefined)
  const leader = await cluster.leaderOf(at.stream.name)
  await leader.kill()
  await asked
  await leader.restart()
  await cluster.healthy(at.stream.name)
  await ask(connection, at, 500, { from: 1_000 })
  for (const { name } of [at.stream, at.work]) await cluster.stepDown(name)
  await eventually('all are handled', () => effects.size === 1_500 || undefined, 90_000)
  await settled(connection, at)
  assert.equal(failures, [])
})

test('DL1 10 a server that is killed and comes back finds its handlers at work, and nothing is left out', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const at = await place(connection)
  const { declaration, effects } = counting(at, 1)
  const { failures } = await work(await connectTo(server.url), at, declaration)
  await ask(connection, at, 600)
  await eventually('it is at work', () => effects.size > 50 || undefined)
  await server.kill()
  await server.restart()
  await eventually('all are handled', () => effects.size === 600 || undefined, 90_000)
  await settled(connection, at)
  assert.equal(failures, [])
})

test('DL1 10 13 a link that is away for many times the ack wait: others go on, and it does when it is back', async () => {
  const { url } = await startTestServer()
  const link = await linkTo(url)
  const connection = await connectTo(url)
  const at = await place(connection)
  const [one, other] = [counting(at, 1), counting(at, 1)]
  const first = await work(await connectTo(link.url), at, one.declaration)
  await ask(connection, at, 400)
  await eventually('it is at work', () => one.effects.size > 20 || undefined)
  link.close()
  const second = await work(await connectTo(url), at, other.declaration)
  const both = (): number => new Set([...one.effects.keys(), ...other.effects.keys()]).size
  await eventually('the other one has all', () => both() === 400 || undefined, 90_000)
  await systemClock.sleep(3_000)
  await second.run.stop()
  link.open()
  await ask(connection, at, 200, { from: 400 })
  await eventually('it goes on alone', () => both() === 600 || undefined, 90_000)
  await settled(connection, at)
  assert.equal([...one.effects.keys(), ...other.effects.keys()].toSorted((a, b) => a - b).at(-1), 599)
  assert.equal(
    upTo(600).filter((n) => !one.effects.has(n) && !other.effects.has(n)),
    [],
  )
  assert.equal([first.failures, second.failures], [[], []])
})

for (const hours of [1, -1])
  test(`DL2 21 a process whose clock is ${hours > 0 ? 'an hour ahead' : 'an hour behind'} repeats what fails after its delay`, async () => {
    const connection = await connectTo((await sharedServer()).url)
    const at = await place(connection)
    const { declaration, effects } = counting(at)
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + hours * 3_600_000 }
    const began = systemClock.monotonic()
    await work(connection, at, declaration, { clock })
    await ask(connection, at, 14)
    await eventually('all are handled', () => effects.size === 14 || undefined, 30_000)
    assert.ok(systemClock.monotonic() - began < 60_000, 'far less than the hour')
    await settled(connection, at)
  })

test.run()
