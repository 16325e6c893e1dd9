// Commands to actors of other contexts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { send } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { Contracts, withActors } from '../../src/runtime/context-actors.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { strandedOutboxes } from '../../src/runtime/stranded-outboxes.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { outboxRoot } from '../../src/broker/system-subject.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { printStranded } from '../../src/cli/streams/print-plan.ts'
import { createActorClient } from '../../src/actor/actor-client.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { memoryOutput } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { changePartitions, recordsOf, work } from './running-actors.ts'

const test = suite('commands to other contexts')

const data = z.object({ id: z.string() })
const key = ({ id }: { id: string }): string => id
const Ask = defineCommand('sender.ask', { data, key })
const Asked = defineEvent('sender.asked', { data, key })
const Do = defineCommand('taker.do', { data, key })
const Done = defineEvent('taker.done', { data, key })

const sender = (sends: readonly string[]) =>
  defineActor({
    name: 'sender',
    version: 1,
    sends,
    initial: () => 0,
    commands: [Ask],
    events: [Asked],
    decide: {
      'sender.ask': (_, { data: own }) => [Asked(own), send(Do(own))],
    },
    evolve: { 'sender.asked': (count) => count + 1 },
  })
const taker = defineActor({
  name: 'taker',
  version: 1,
  initial: () => 0,
  commands: [Do],
  events: [Done],
  decide: { 'taker.do': (_, { data: own }) => [Done(own)] },
  evolve: { 'taker.done': (count) => count + 1 },
})

let count = 0

function deployment(sends: (other: string) => readonly string[]): Deployment {
  const id = `${process.pid}-${(count += 1)}`
  const [one, other] = ['X', 'Y'].map((name) =>
    defineStream({ name: `${name}${id}`, root: `${name.toLowerCase()}${id}`, partitions: 2, storage: 'memory' }),
  )
  assert.ok(one && other)
  const contexts = [withActors(one, [sender(sends(other.name))]), withActors(other, [taker])]
  const all = new Contracts()
  for (const context of contexts) all.addActors(context)
  const streams = contexts.flatMap(({ stream, commands }) => [stream, ...(commands === undefined ? [] : [commands])])
  const actors = contexts.flatMap((context) => context.actors)
  return {
    folder: '',
    streams,
    registry: createRegistry(all.all),
    pipelines: [],
    rules: [],
    actors,
    homes: all.homes,
  }
}

const outboxes = (of: Deployment): string[] =>
  processorsOf(of)
    .filter(({ kind }) => kind === 'outbox')
    .map(({ name }) => name.replace(/\d+-\d+/g, ''))

test('each context has an outbox for its own commands, and for those of the contexts that its actors name', () => {
  assert.equal(outboxes(deployment(() => [])), ['X_to_X_COMMANDS', 'Y_to_Y_COMMANDS'])
  assert.equal(outboxes(deployment((other) => [other, other])), [
    'X_to_X_COMMANDS',
    'X_to_Y_COMMANDS',
    'Y_to_Y_COMMANDS',
  ])
})

test('a context that is named and has no actors is refused', () => {
  assert.throws(() => processorsOf(deployment(() => ['Z'])), /DECLARATION_UNKNOWN.*sender sends to Z/)
  for (const bad of ['PAYMENTS', [''], [1]]) assert.throws(() => sender(bad as string[]), /ACTOR_INVALID.*sends/)
})

test('X1 what an actor sends while the commands of the other context get fewer partitions arrives once', async () => {
  const connection = await sharedConnection()
  const before = deployment((other) => [other])
  await applyStreams(connection, await planStreams(connection, before.streams))
  const [, xCommands, y, yCommands] = before.streams
  assert.ok(xCommands && y && yCommands)
  const first = await work(connection, before)
  const ids: string[] = []
  const ask = async (): Promise<void> => {
    const some = Array.from({ length: 10 }, (_, at) => `k${String(ids.length + at).padStart(4, '0')}`)
    ids.push(...some)
    await publishAll(
      connection,
      xCommands,
      some.map((id) => Ask({ id })),
    )
  }
  const taken = async (): Promise<string[]> =>
    (await recordsOf(connection, { ...before, streams: [y] })).map(({ id }) => id).sort()
  await ask()
  await eventually('it works', async () => (await taken()).length === ids.length)
  const after = await changePartitions(connection, before, 1, [yCommands])
  for (let round = 0; round < 10; round++) await ask() // to processes that have the former number
  await systemClock.sleep(1_000)
  await first.stop()
  const second = await work(connection, after, 'two')
  await eventually('all have come', async () => (await taken()).length >= ids.length).catch(() => undefined)
  assert.equal(await taken(), ids)
  await second.stop()
})

/** Once the name is taken away, what waits is told of, and what has arrived is not. */
async function isTold(connection: Connection, deployed: Deployment): Promise<void> {
  const { actors = [], streams } = deployed
  const mute = actors.map((one) => (one.actor.name === 'sender' ? { ...one, actor: sender([]) } : one))
  const without = { ...deployed, actors: mute }
  assert.equal(await strandedOutboxes(connection, without), [])
  const [x, , , yCommands] = streams
  assert.ok(x && yCommands)
  for (const partition of [0, 1, 1]) {
    const subject = `${outboxRoot(x.name, yCommands.name)}.${partition}.taker.do`
    await publishOnce(connection, { subject, headers: [], data: new Uint8Array(0) })
  }
  const stranded = [{ from: x.name, to: yCommands.name, waiting: 3 }]
  assert.equal(await strandedOutboxes(connection, without), stranded)
  assert.equal(await strandedOutboxes(connection, deployed), [])
  const out = memoryOutput()
  printStranded(out, stranded)
  assert.match(out.text(), new RegExp(`3 messages for ${yCommands.name}.*\n.*sends: \\['Y`))
}

test('what is sent to a context that is named arrives; to others it is refused when decided, and nothing is stored', async () => {
  const connection = await sharedConnection()
  for (const names of [true, false]) {
    const deployed = deployment((other) => (names ? [other] : []))
    await applyStreams(connection, await planStreams(connection, deployed.streams))
    const runtime = await work(connection, deployed)
    const [x, xCommands, y] = deployed.streams
    assert.ok(x && xCommands && y)
    const homes = [{ actor: 'sender', records: x, commands: xCommands }]
    const client = createActorClient({ connection, clock: systemClock, newId: systemId, homes })
    const outcome = await client.actor(sender([])).request(Ask({ id: 'a' }), { timeout: '60s' })
    if (names) {
      assert.is(outcome.kind, 'accepted')
      await eventually('it has arrived', async () =>
        (await recordsOf(connection, { ...deployed, streams: [y] })).some(({ type }) => type === 'taker'),
      )
    } else {
      assert.is(outcome.kind === 'failed' && outcome.code, 'SEND_UNDECLARED')
      assert.equal(await recordsOf(connection, deployed), [])
    }
    await runtime.stop().catch((error: unknown) => assert.ok(isFault(error)))
    if (names) await isTold(connection, deployed)
  }
})

test.run()
