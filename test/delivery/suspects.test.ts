import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jetstream } from '@nats-io/jetstream'
import { makeWorkConsumer } from '../../src/broker/work-consumer.ts'
import { laneConsumer } from '../../src/delivery/handler-consumers.ts'
import { MOST_MARKS, Suspects } from '../../src/delivery/suspects.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { ask, Asked, inWork, letters, place, work } from './running-handlers.ts'

const test = suite('suspects')

test('DL4 an event whose processes end in the middle of it is a dead letter in the end; those beside it are handled', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const done = new Set<number>()
  let begun = 0
  const declaration = defineHandler({
    name: 'deadly',
    on: { stream: at.stream.name, events: [Asked] },
    ackWait: 600,
    concurrency: 4,
    handle: async ({ data: { n } }) => {
      if (n !== 3) return void done.add(n)
      begun += 1
      await new Promise(() => undefined)
    },
  })
  await ask(connection, at, 8)
  // a process that ends takes along its connection, and says nothing
  for (let life = 1; life <= 5; life++) {
    const own = await connectTo((await sharedServer()).url)
    await work(own, at, declaration)
    await eventually(`life ${life}`, () => begun >= life || undefined, 30_000)
    await own.close()
  }
  await work(connection, at, declaration)
  const all = await eventually(
    'a letter',
    async () => {
      const found = await letters(connection, at)
      return found.length > 0 ? found : undefined
    },
    30_000,
  )
  assert.equal(
    all.map(({ code }) => code),
    ['HANDLER_CRASHED'],
  )
  assert.is(begun, 5)
  await eventually('those beside it', () => done.size === 7 || undefined)
  assert.equal([...done].toSorted(), [0, 1, 2, 4, 5, 6, 7])
})

test('DL4 18 20 what was handed back as often as the server allows is handled all the same, and the server never gives up on it', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  let begun = 0
  const declaration = defineHandler({
    name: 'tossed',
    on: { stream: at.stream.name, events: [Asked] },
    mostDeliveries: 5,
    handle: async () => void (begun += 1),
  })
  const [lane] = declaration.lanes
  assert.ok(lane)
  const consumer = laneConsumer(declaration, at.stream, lane)
  await makeWorkConsumer(connection, consumer, { kind: 'sequence', sequence: 1 })
  await ask(connection, at, 1)
  const pulled = await jetstream(connection.nats).consumers.get(at.stream.name, consumer.name)
  for (let delivery = 1; delivery <= 3; delivery++) (await pulled.next({ expires: 30_000 }))?.nak()
  await connection.nats.flush()
  await work(connection, at, declaration)
  await eventually('it is handled', () => begun === 1 || undefined)
  assert.equal(await letters(connection, at), [])
  await eventually('nothing is left of it', async () => (await inWork(connection, at)) === 0 || undefined)
  await eventually('it is acknowledged', async () => {
    const { num_ack_pending } = await connection.manager.consumers.info(at.stream.name, consumer.name)
    return num_ack_pending === 0 || undefined
  })
})

test('DL4 a mark whose answer was lost and that is made again counts once, and those of others count', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const suspects = new Suspects(connection, at.work.name, 'marked')
  const origin = { stream: at.stream.name, sequence: 7, member: undefined, subject: 'x', storedAt: 0 }
  const item = { origin }
  assert.is(await suspects.mark(item, 'one'), 0)
  assert.is(await suspects.mark(item, 'one'), 0)
  assert.is(await suspects.mark(item, 'two'), 1)
  assert.is(await suspects.mark(item, 'three'), 2)
  assert.is(await suspects.mark(item, 'three'), 2)
  assert.is(await suspects.mark(item, 'four'), MOST_MARKS)
  await suspects.unmark(item)
  assert.is(await suspects.mark(item, 'five'), 0)
})

test.run()
