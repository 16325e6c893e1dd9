// Processes of a view that are killed or stopped at any moment, and views of actors.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorClient } from '../../src/actor/actor-client.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { actorHomes } from '../../src/runtime/actor-homes.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { defineView } from '../../src/view/define-view.ts'
import { readPointer } from '../../src/view/view-pointer.ts'
import { ViewReader } from '../../src/view/view-reader.ts'
import { deploy, work } from '../actor/running-actors.ts'
import { account, Deposit, Deposited, Withdrawn } from '../actor/sample-actors.ts'
import { atEnd } from '../support/cleanup.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'
import { course, expected, PATIENT, readerOf, rowsOf, runView, stopAll } from './sample-view.ts'

const test = suite('views whose processes are killed')

async function spawnWorker(stream: StreamDeclaration, version: number): Promise<ChildProcess> {
  const { url } = await sharedServer()
  const script = fileURLToPath(new URL('view-worker.ts', import.meta.url))
  const given = [url, stream.name, stream.root, String(version)]
  const child = spawn(process.execPath, [...testProgram(script), ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  atEnd(() => {
    child.kill('SIGKILL')
  })
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve)
    child.once('exit', () => reject(new Error('it ended before it was ready')))
  })
  return child
}

test('VW2 VW3 a process that is killed, and one that wakes up when another has gone on, leave rows as the events say', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const events = course(4_000, 5, 100)
  const zombie = await spawnWorker(stream, 1)
  await publishAll(connection, stream, events.slice(0, 1_000))
  zombie.kill('SIGSTOP')
  for (const round of [1, 2]) {
    const child = await spawnWorker(stream, 1)
    await publishAll(connection, stream, events.slice(1_000 * round, 1_000 * (round + 1)))
    child.kill('SIGKILL')
  }
  const { reader, runs } = await runView(connection, stream)
  await publishAll(connection, stream, events.slice(3_000))
  zombie.kill('SIGCONT')
  await reader.whenCaughtUp(undefined, PATIENT)
  assert.equal(await rowsOf(reader), expected(events))
  await systemClock.sleep(300) // whatever it still had in hand
  assert.equal(await rowsOf(reader), expected(events))
  zombie.kill('SIGKILL')
  await stopAll(runs)
})

test('VW4 VW5 a version whose processes are killed while it takes over has all rows when it is live', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const events = course(2_000, 9, 100)
  await publishAll(connection, stream, events.slice(0, 1_000))
  const one = await runView(connection, stream)
  const reader = readerOf(connection, stream)
  await reader.whenCaughtUp(undefined, PATIENT)
  for (const [at, wait] of [0, 250, 450].entries()) {
    const child = await spawnWorker(stream, 2)
    await publishAll(connection, stream, events.slice(1_000 + 300 * at, 1_300 + 300 * at))
    await systemClock.sleep(wait)
    child.kill('SIGKILL')
    await reader.whenCaughtUp(undefined, { timeout: 1 }).catch(() => undefined) // it may be the next one by now
  }
  const two = await runView(connection, stream, { version: 2 })
  await publishAll(connection, stream, events.slice(1_900))
  await eventually('swapped', async () => (await readPointer(connection, reader.name))?.pointer.current.version === 2)
  await reader.whenCaughtUp(undefined, PATIENT)
  assert.equal(await rowsOf(reader), expected(events))
  await stopAll([...one.runs, ...two.runs])
})

test('VW1 who waits for the outcome of a command finds it in a view of the actor’s events', async () => {
  const connection = await sharedConnection()
  const deployed = await deploy(connection, [account])
  const [stream] = deployed.streams
  assert.ok(stream)
  const balances = defineView({
    name: `balances-${stream.name}`,
    version: 1,
    from: { stream: stream.name, events: [Deposited, Withdrawn] },
    initial: () => ({ balance: 0 }),
    fold: (row: { balance: number } | undefined, { type, data }) => ({
      balance: (row?.balance ?? 0) + (type === 'account.deposited' ? data.amount : -data.amount),
    }),
    to: { bucket: `BALANCES_${stream.name}` },
  })
  const runtime = await work(connection, { ...deployed, views: [balances] })
  const client = createActorClient({ connection, clock: systemClock, newId: systemId, homes: actorHomes(deployed) })
  const reader = new ViewReader<{ balance: number }>(connection, systemClock, balances.name)
  for (let round = 1; round <= 20; round++) {
    const outcome = await client.actor(account).request(Deposit({ accountId: 'a', amount: round }))
    assert.is(outcome.kind, 'accepted')
    await reader.whenCaughtUp(outcome.kind === 'accepted' ? outcome.sequence : undefined, PATIENT)
    assert.equal(await reader.get('a'), { balance: (round * (round + 1)) / 2 })
  }
  await runtime.stop()
  client.close()
})

test.run()
