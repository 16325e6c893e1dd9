// Archiving closed aggregates, on a real server.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { evolveAll } from '../../src/actor/evolve.ts'
import { readHistory } from '../../src/actor/history.ts'
import { rehydrate } from '../../src/actor/rehydrate.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { archiveFolder } from '../../src/cli/actor/archive-folder.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { archiveAggregate, type StoreFile } from '../../src/replay/archive/archive-aggregate.ts'
import { readAudit } from '../../src/replay/audit/read-audit.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { Deliver, parcelActor, Ship, Weigh } from '../actor/personal-actor.ts'
import { deploy, recordsOf, tellAll, work } from '../actor/running-actors.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('archive')
const connection = await sharedConnection()
const LATER = Number.MAX_SAFE_INTEGER

const commandsFor = (parcelId: string) => [
  Ship({ parcelId, receiver: 'r', email: 'e', street: 's' }),
  Weigh({ parcelId, grams: 1 }),
  Weigh({ parcelId, grams: 2 }),
  Deliver({ parcelId }),
]

function placeIn({ actors }: Deployment, by: Connection = connection) {
  const [deployed] = actors
  if (deployed === undefined) throw new Error('there is no actor')
  return { connection: by, clock: systemClock, actor: deployed.actor, stream: deployed.stream }
}

function known(deployment: Deployment, id: string) {
  const place = placeIn(deployment)
  const at = { ...place, type: 'parcel', id, registry: createRegistry(place.actor.events) }
  const fold = (aggregate: never, events: never) => evolveAll(place.actor, aggregate, events).state
  return { at, found: rehydrate(at, { actor: place.actor, fold: fold as never }) }
}

async function closed(notes = '', ids = ['a1']) {
  const deployment = await deploy(connection, [parcelActor(notes)])
  const runtime = await work(connection, deployment)
  await tellAll(connection, deployment, ids.flatMap(commandsFor))
  await eventually('all are decided', async () => (await recordsOf(connection, deployment)).length === 4 * ids.length)
  const folder = await temporaryDirectory()
  return { deployment, runtime, folder, store: await archiveFolder(folder) }
}

/** What is in the files of a folder, which are checked. */
async function contents(folder: string) {
  const entries = new Map<number, string>()
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ndjson'))) {
    async function* lines() {
      let number = 0
      for (const text of readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'))
        yield { number: (number += 1), text }
    }
    for await (const { entry } of readAudit(lines()))
      if (entry !== undefined) entries.set(entry.sequence, entry.text ?? '')
  }
  return entries
}

async function inStream(deployment: Deployment): Promise<Map<number, string>> {
  const { stream } = placeIn(deployment)
  const all = await readAll(connection, stream.name, [`${stream.root}.*.millrace.aggregate.>`])
  return new Map(all.map(({ sequence, data }) => [sequence, Buffer.from(data).toString()]))
}

for (const notes of ['', 'x'.repeat(2_000)])
  test(`AV1 AV2 AV3 the history is in a file, a tombstone is left, and commands are rejected, with a state of ${notes.length}`, async () => {
    const { deployment, runtime, folder, store } = await closed(notes)
    const before = await inStream(deployment)
    const done = await archiveAggregate(placeIn(deployment), 'a1', LATER, store)
    assert.is(done.kind, 'archived')
    assert.equal(await contents(folder), before)
    assert.equal([...(await inStream(deployment)).values()], ['[]'])
    const snapshots = await readAll(connection, placeIn(deployment).stream.name, ['millrace.*.aggregate.>'])
    assert.is(snapshots.length, 0)
    assert.equal(await archiveAggregate(placeIn(deployment), 'a1', LATER, store), { kind: 'already' })

    // the owner has it in memory; the next one has not
    const rejected = async (records: number) =>
      eventually('it is rejected', async () => {
        const all = await recordsOf(connection, deployment)
        return all.length === records ? all.at(-1) : undefined
      })
    await tellAll(connection, deployment, [Weigh({ parcelId: 'a1', grams: 3 })])
    assert.is((await rejected(2))?.decided[0]?.x?.code, 'aggregate-closed')
    const { frame, state } = await known(deployment, 'a1').found
    assert.is(frame?.a?.n, 4, 'it is told where the history is')
    assert.equal(state, placeIn(deployment).actor.initial('a1'))
    await runtime.stop()
    const next = await work(connection, deployment, 'two')
    await tellAll(connection, deployment, [Weigh({ parcelId: 'a1', grams: 4 })])
    assert.is((await rejected(3))?.decided[0]?.x?.code, 'aggregate-closed')
    await next.stop()
    const { at, found } = known(deployment, 'a1')
    assert.is((await found).version, 4)
    assert.is((await readHistory(at, await found, 10)).at(-1)?.rejected?.code, 'aggregate-closed')
  })

test('AV1 AV2 killed at any point nothing is lost, and it is completed by doing it again', async () => {
  const ids = ['k1', 'k2', 'k3', 'k4']
  const { deployment, runtime, folder, store } = await closed('', ids)
  await runtime.stop()
  const before = await inStream(deployment)
  const killed = async (id: string, by: StoreFile, through: Connection = connection) => {
    await archiveAggregate(placeIn(deployment, through), id, LATER, by).then(
      () => assert.unreachable('it was not killed'),
      () => undefined,
    )
    const [files, stream] = [await contents(folder), await inStream(deployment)]
    for (const [sequence, text] of before) assert.is(stream.get(sequence) ?? files.get(sequence), text)
  }
  const stop = (done: unknown): never => {
    throw new Error(`killed, after ${String(done)}`)
  }
  // while it writes; before the tombstone; before the purge; between the two purges
  await killed('k1', (name, fill) => store(name, (write) => fill(async (text) => stop(void (await write(text))))))
  await killed('k2', async (name, fill) => stop(void (await store(name, fill))))
  await killed('k3', store, dying(0))
  await killed('k4', store, dying(1))
  for (const id of ids) await archiveAggregate(placeIn(deployment), id, LATER, store)
  assert.equal([...(await inStream(deployment)).values()], ['[]', '[]', '[]', '[]'])
  const files = await contents(folder)
  for (const [sequence, text] of before) assert.is(files.get(sequence), text)
})

/** A connection that ends at a purge. */
function dying(after: number): Connection {
  let left = after
  const streams = new Proxy(connection.manager.streams, {
    get: (target, what) => {
      if (what === 'purge' && (left -= 1) < 0) return () => Promise.reject(new Error('killed'))
      const value = target[what as keyof typeof target] as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return new Proxy(connection, {
    get: (target, what) => {
      if (what === 'manager') return Object.assign(Object.create(target.manager) as object, { streams })
      const value = target[what as keyof typeof target] as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

test('what is not closed, or not for long enough, stays', async () => {
  const { deployment, runtime, store, folder } = await closed()
  await tellAll(connection, deployment, [Weigh({ parcelId: 'open', grams: 1 })])
  await eventually('decided', async () => (await recordsOf(connection, deployment)).length === 5)
  await runtime.stop()
  for (const [id, before] of [
    ['open', LATER],
    ['a1', Date.now() - 60_000],
    ['nobody', LATER],
  ] as const)
    assert.equal(await archiveAggregate(placeIn(deployment), id, before, store), { kind: 'kept' })
  assert.equal(readdirSync(folder), [])
})

test.run()
