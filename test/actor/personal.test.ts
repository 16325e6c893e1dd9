// Personal values on a real server: sealed, read, erased.
import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EventStore } from '../../src/actor/event-store.ts'
import { eraseDecidedCommands, erasePersonal, subjectOfAggregate } from '../../src/actor/erase-personal.ts'
import { subjectToken } from '../../src/actor/personal-key.ts'
import { PersonalKeys } from '../../src/actor/personal-keys.ts'
import type { DeployedActor } from '../../src/runtime/context-actors.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { evolveAll } from '../../src/actor/evolve.ts'
import { OpenPersonal } from '../../src/actor/read-personal.ts'
import { rehydrate } from '../../src/actor/rehydrate.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { ownServer } from '../support/nats.ts'
import { Delivered, parcelActor, Ship, Shipped, Weigh, Weighed } from './personal-actor.ts'
import { deploy, recordsOf, tellAll, work } from './running-actors.ts'

const test = suite('personal values')
const server = await ownServer()
const connection = await connectTo(server.url)

const linesOf = (output: Buffer): string[] => output.toString().split('\n').filter(Boolean)

/** Files of the server that have the text. */
function filesWith(text: string): string[] {
  try {
    return linesOf(execFileSync('grep', ['-rlFs', '--', text, server.dataDir]))
  } catch (error) {
    const { status, stdout } = error as { status: number | null; stdout: Buffer }
    // 1: it found nothing; 2: a file went away under it, as those that the server writes beside and renames
    if (status === 1 || status === 2) return linesOf(stdout)
    throw error
  }
}

function deployedIn({ actors }: Deployment): DeployedActor {
  const [deployed] = actors
  if (deployed === undefined) throw new Error('there is no actor')
  return deployed
}

async function stateOf(deployed: DeployedActor, id: string) {
  const { actor, stream } = deployed
  const registry = createRegistry(actor.events)
  const place = { connection, clock: systemClock, stream, type: actor.name, id, registry }
  const fold = (aggregate: never, events: never) => evolveAll(actor, aggregate, events).state
  const personal = new OpenPersonal(new PersonalKeys(connection))
  return (await rehydrate(place, { actor, fold: fold as never, personal })).state as Record<string, unknown>
}

const ship = (parcelId: string, receiver: string, email = `${parcelId}@secret.example`) =>
  Ship({ parcelId, receiver, email, street: `street of ${parcelId}` })
const weigh = (parcelId: string, grams: number) => Weigh({ parcelId, grams })

test('PE1 PE2 PE3 PE5 values are sealed where they are stored, read with the key, and null once it is erased', async () => {
  const deployment = await deploy(connection, [parcelActor()])
  const deployed = deployedIn(deployment)
  const runtime = await work(connection, deployment)
  await tellAll(connection, deployment, [ship('p1', 'ann'), weigh('p1', 5), ship('p2', 'bob')])
  await eventually('3 records', async () => (await recordsOf(connection, deployment)).length === 3)

  const stored = await readAll(connection, deployed.stream.name, ['>'])
  for (const { headers, data } of stored) {
    assert.not.match(Buffer.from(data).toString(), 'secret.example')
    assert.not.match(headers.get('Millrace-State') ?? '', 'secret.example')
  }
  assert.equal(await stateOf(deployed, 'p1'), {
    email: 'p1@secret.example',
    street: 'street of p1',
    grams: 5,
    notes: '',
  })
  const store = new EventStore(connection, { stream: deployed.stream, events: deployed.actor.events })
  const read = async (id: string) => {
    const events = []
    for await (const event of store.read('parcel', id)) events.push(event)
    return events
  }
  const sealed = await read('p1')
  assert.match(JSON.stringify(sealed[0]?.data), /"email":\{"\$personal":"[^"]+","k":"[^"]+"\}/)
  const opened = await store.readPersonal(sealed)
  assert.equal(opened[0]?.data, {
    receiver: 'ann',
    email: 'p1@secret.example',
    address: { street: 'street of p1', town: 'Ulm' },
  })
  assert.equal(opened[1]?.data, { grams: 5, to: 'p1@secret.example' })

  const subject = await subjectOfAggregate(connection, { ...deployed, id: 'p1' })
  assert.is(subject, subjectToken('ann'))
  const key = await new PersonalKeys(connection).get(subjectToken('ann'))
  const erased = await erasePersonal(connection, subjectToken('ann'), [deployed.stream], systemClock)
  assert.equal(erased?.keys, [key?.id])
  assert.is(await eraseDecidedCommands(connection, { ...deployed, id: 'p1' }, systemClock), 2)
  assert.equal(
    (await store.readPersonal(await read('p1'))).map(({ data }) => data),
    [
      { receiver: 'ann', email: null, address: { street: null, town: 'Ulm' } },
      { grams: 5, to: null },
    ],
  )
  assert.equal(await stateOf(deployed, 'p1'), { email: null, street: null, grams: 5, notes: '' })
  assert.is((await stateOf(deployed, 'p2'))['email'], 'p2@secret.example')
  const audit = await eventually('the log says so', async () => {
    const found = await readAll(connection, deployed.stream.name, ['*.*.millrace.personal-erased'])
    return found.length === 1 ? found : undefined
  })
  assert.equal(JSON.parse(Buffer.from(audit[0]?.data ?? []).toString()), { subject, keys: [key?.id] })

  // the live owner had the state in memory
  await tellAll(connection, deployment, [weigh('p1', 6), ship('p1', 'ann', 'new@secret.example'), weigh('p1', 7)])
  const records = await eventually('6 records', async () => {
    const all = await recordsOf(connection, deployment)
    return all.length === 6 ? all : undefined
  })
  const mail = (await store.readPersonal(records.slice(3).map(({ events }) => events[0]?.data))) as object[]
  assert.equal(mail[0], { grams: 6, to: null })
  assert.equal(mail[2], { grams: 7, to: 'new@secret.example' })
  assert.is.not((await new PersonalKeys(connection).get(subjectToken('ann')))?.id, key?.id)
  const before = (await store.readPersonal(await read('p1')))[0]?.data
  assert.equal(before, { receiver: 'ann', email: null, address: { street: null, town: 'Ulm' } })
  await runtime.stop()
})

test('PE2 no file of the server has a value of who is erased, nor the key, also where the state is in snapshots', async () => {
  const deployment = await deploy(connection, [parcelActor('x'.repeat(2_000))])
  const deployed = deployedIn(deployment)
  const runtime = await work(connection, deployment)
  await tellAll(connection, deployment, [
    Ship({ parcelId: 's1', receiver: 'eve', email: 'eve-in-clear', street: 'eve-street' }),
    ...[1, 2, 3, 4, 5].map((grams) => weigh('s1', grams)),
  ])
  await eventually('6 records', async () => (await recordsOf(connection, deployment)).length === 6)
  await runtime.stop()
  assert.is(filesWith('eve-in-clear').length > 0, true) // its command
  assert.equal(
    filesWith('eve-in-clear').filter((file) => !file.includes('_COMMANDS')),
    [],
  )
  assert.is((await stateOf(deployed, 's1'))['email'], 'eve-in-clear')
  const bucket = await readAll(connection, 'KV_millrace_personal_keys', [
    `$KV.millrace_personal_keys.${subjectToken('eve')}`,
  ])
  const { secret } = JSON.parse(Buffer.from(bucket[0]?.data ?? []).toString()) as { secret: string }
  assert.is(filesWith(secret).length, 1)
  await erasePersonal(connection, subjectToken('eve'), [deployed.stream], systemClock)
  await eraseDecidedCommands(connection, { ...deployed, id: 's1' }, systemClock)
  assert.equal([filesWith('eve-in-clear'), filesWith('eve-street'), filesWith(secret)], [[], [], []])
  assert.equal((await stateOf(deployed, 's1'))['email'], null)
  assert.is((await stateOf(deployed, 's1'))['grams'], 5)
})

test('PE4 an erasure that was killed after it marked the key is completed by doing it again', async () => {
  const keys = new PersonalKeys(connection)
  const subject = subjectToken('kim')
  const key = await keys.ensure(subject, 1)
  const name = `$KV.millrace_personal_keys.${subject}`
  const { secret } = JSON.parse(
    Buffer.from((await readAll(connection, 'KV_millrace_personal_keys', [name]))[0]?.data ?? []).toString(),
  ) as { secret: string }
  const killed = new Proxy(connection, {
    get: (target, what) =>
      what === 'manager'
        ? { streams: { getMessage: target.manager.streams.getMessage.bind(target.manager.streams) } }
        : (target[what as keyof typeof target] as unknown),
  })
  await erasePersonal(killed, subject, [], systemClock).then(
    () => assert.unreachable(),
    () => undefined,
  )
  assert.is(filesWith(secret).length, 1)
  assert.is(await new PersonalKeys(connection).get(subject), undefined)
  assert.equal((await erasePersonal(connection, subject, [], systemClock))?.keys, [key.id])
  assert.equal(filesWith(secret), [])
  assert.is(await erasePersonal(connection, subjectToken('never seen'), [], systemClock), undefined)
})

test('PE1 two that need the key of a subject at once have the same one', async () => {
  const subject = subjectToken('both')
  const made = await Promise.all([1, 2, 3, 4].map(() => new PersonalKeys(connection).ensure(subject, 1)))
  assert.is(new Set(made.map(({ id }) => id)).size, 1)
})

test('pipelines get the sealed value where the contract says null, and may hand it on', () => {
  const envelope = { $personal: 'AAAA', k: 'a.b' }
  const address = { street: envelope, town: 'Ulm' }
  const draft = Shipped({ receiver: 'r', email: envelope as never, address: address as never })
  assert.equal(draft.data, { receiver: 'r', email: envelope, address })
  assert.is(Weighed.check({ grams: envelope, to: null }, 1).ok, false)
  assert.is(Delivered.check({}, 1).ok, true)
})

test.run()
