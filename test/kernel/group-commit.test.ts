// Several units of one process whose commits share batches, against what each would be alone.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { claim } from '../../src/kernel/claim.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { connectTo, freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { ownServer } from '../support/nats.ts'
import { committing, madeUp, storedRecord, textsOf, turns, type Committing } from './committing.ts'
import { outputMessage, textOf } from './messages.ts'

const test = suite('units that commit together')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Member extends Committing {
  readonly name: string
  /** Every turn that it was given. */
  readonly given: Turn[]
  add(count: number): void
}

/** A unit of its own among others that write to the same stream. */
async function member(connection: Connection, stream: StreamDeclaration, name: string): Promise<Member> {
  const processor = { ...madeUp(stream), name }
  const own = await committing(connection, stream, name, undefined, {
    claim: await claim(connection, processor, 'all', name),
  })
  const given: Turn[] = []
  return {
    ...own,
    name,
    given,
    add: (count) => {
      const next = turns(stream, count, given.length, 2).map((turn) => ({
        ...turn,
        outputs: turn.outputs.map((output) =>
          outputMessage(`${name}:${textOf(output)}`, `${stream.root}.${name}.made`),
        ),
      }))
      given.push(...next)
      own.committer.add(next)
    },
  }
}

function members(connection: Connection, stream: StreamDeclaration, count: number): Promise<Member[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => member(connection, stream, `u${at}`)))
}

/** What the stream holds of one of them, in order. */
async function outputsOf(connection: Connection, stream: StreamDeclaration, { name }: Member): Promise<string[]> {
  const all = await readAll(connection, stream.name, [storedFilter(stream.root, 'made')])
  return all.map(textOf).filter((text) => text.startsWith(`${name}:`))
}

async function requireWhole(
  connection: Connection,
  stream: StreamDeclaration,
  units: readonly Member[],
): Promise<void> {
  for (const unit of units) {
    assert.equal(unit.failures, [])
    assert.equal(await outputsOf(connection, stream, unit), textsOf(unit.given), unit.name)
    assert.is((await storedRecord(connection, stream, `pipeline-${unit.name}`))?.position, unit.given.length)
    assert.equal(
      unit.committed,
      unit.given.map(({ sequence }) => sequence),
    )
  }
}

test('C6 C1 C2 units share batches, and each has its outputs once, in order, and its own record', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const units = await members(connection, stream, 8)
  for (let round = 0; round < 60; round++) {
    for (const [at, unit] of units.entries()) if ((round + at) % 3 > 0) unit.add(1 + ((round * 7 + at) % 5))
    await pause(round % 4)
  }
  await Promise.all(units.map(({ committer }) => committer.flush(false)))
  await requireWhole(connection, stream, units)
  const batches = new Map<string, Set<string>>()
  for (const { subject, headers } of await readAll(connection, stream.name, [storedFilter(stream.root, 'made')])) {
    const batch = headers.get('Nats-Batch-Id') ?? ''
    batches.set(batch, (batches.get(batch) ?? new Set()).add(subject))
  }
  assert.ok(
    [...batches.values()].some(({ size }) => size >= 4),
    'some batch holds the commits of several units',
  )
})

test('C6 what comes while a batch is on its way goes with the next, of every unit', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const units = await members(connection, stream, 4)
  server.pause()
  units[0]?.add(1)
  await pause(30)
  for (let turn = 0; turn < 20; turn++) {
    for (const unit of units) unit.add(1)
    await pause(2)
  }
  server.resume()
  await Promise.all(units.map(({ committer }) => committer.flush(false)))
  await requireWhole(connection, stream, units)
  const all = await readAll(connection, stream.name, [storedFilter(stream.root, 'made')])
  assert.is(new Set(all.map(({ headers }) => headers.get('Nats-Batch-Id'))).size, 2)
})

test('C6 C3 a zombie among them is fenced alone: nothing of it is stored, and the others lose nothing', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const units = await members(connection, stream, 5)
  for (const unit of units) unit.add(2)
  await Promise.all(units.map(({ committer }) => committer.flush(false)))
  const zombie = units[2] as Member
  const before = textsOf(zombie.given)
  await claim(connection, { ...madeUp(stream), name: zombie.name }, 'all', 'another')
  for (let round = 0; round < 5; round++) {
    for (const unit of units) unit.add(3)
    await pause(3)
  }
  const ends = await Promise.allSettled(units.map(({ committer }) => committer.flush(false)))
  assert.equal(
    ends.map((end) => (end.status === 'rejected' ? end.reason.code : 'stored')),
    ['stored', 'stored', 'PROCESSOR_FENCED', 'stored', 'stored'],
  )
  assert.equal(
    zombie.failures.map(({ code }) => code),
    ['PROCESSOR_FENCED'],
  )
  assert.equal(await outputsOf(connection, stream, zombie), before)
  await requireWhole(
    connection,
    stream,
    units.filter((unit) => unit !== zombie),
  )
})

test('C6 C3 a foreign message on one commit subject stops that unit and no other', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const units = await members(connection, stream, 3)
  const subject = `millrace.${stream.name}.commit.pipeline-u1.all`
  await publishOnce(connection, { subject, headers: [], data: Buffer.from('{}') })
  for (const unit of units) unit.add(2)
  const ends = await Promise.allSettled(units.map(({ committer }) => committer.flush(false)))
  assert.equal(
    ends.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await requireWhole(connection, stream, [units[0] as Member, units[2] as Member])
})

test('C6 C2 the server is killed in the midst of shared batches: each unit finds out for itself what is stored', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const units = await members(connection, stream, 6)
  const ending = new AbortController()
  const feeding = (async () => {
    for (let round = 0; !ending.signal.aborted; round++) {
      for (const [at, unit] of units.entries()) unit.add(1 + ((round + at) % 4))
      await pause(4)
    }
  })()
  for (const after of [60, 110, 35, 150]) {
    await pause(after)
    await server.kill()
    await server.restart()
    await pause(150)
  }
  ending.abort()
  await feeding
  await Promise.all(units.map(({ committer }) => committer.flush(false)))
  await requireWhole(connection, stream, units)
})

test.run()
