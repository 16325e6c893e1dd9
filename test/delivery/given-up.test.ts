// What JetStream itself gives up on: it must not be lost.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jetstream, type JsMsg } from '@nats-io/jetstream'
import type { Connection } from '../../src/broker/connection.ts'
import { makeWorkConsumer } from '../../src/broker/work-consumer.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { laneConsumer } from '../../src/delivery/handler-consumers.ts'
import type { HandlerDeclaration } from '../../src/delivery/handler-options.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { ask, Asked, consumerOf, letters, place, work, type Place } from './running-handlers.ts'

const test = suite('what the server gives up on')

interface World {
  readonly connection: Connection
  readonly at: Place
  readonly declaration: HandlerDeclaration
  readonly handled: number[]
  /** Has another client take the next message of the handler. */
  next(): Promise<JsMsg | null>
}

/** Longer than two ack waits: what comes when `next` has just given up is delivered again after one. */
const PATIENCE_MS = 90_000

async function world(): Promise<World> {
  const connection = await sharedConnection()
  const at = await place(connection, { partitions: 1 })
  const handled: number[] = []
  const declaration = defineHandler({
    name: 'given-up',
    on: { stream: at.stream.name, events: [Asked] },
    mostDeliveries: 5,
    handle: ({ data: { n } }) => void handled.push(n),
  })
  const [lane] = declaration.lanes
  assert.ok(lane)
  const consumer = laneConsumer(declaration, at.stream, lane)
  await makeWorkConsumer(connection, consumer, { kind: 'sequence', sequence: 1 })
  const pulled = await jetstream(connection.nats).consumers.get(at.stream.name, consumer.name)
  return { connection, at, declaration, handled, next: () => pulled.next({ expires: 1_000 }) }
}

const untilLetters = ({ connection, at }: World, many: number) =>
  eventually('letters', async () => {
    const found = await letters(connection, at)
    return found.length >= many ? found : undefined
  })

test('DL12 17 18 19 the limit of deliveries is armed: what the server gave up on with nobody there is a dead letter after the next start', async () => {
  const one = await world()
  const { connection, at, declaration, handled, next } = one
  await ask(connection, at, 2)
  // the second is acknowledged by the other client; the first is thrown back until the server gives up on it
  // (it does so when somebody asks for more)
  await eventually(
    'it was given up',
    async () => {
      for (let message = await next(); message !== null; message = await next())
        if (message.seq === 1) message.nak()
        else message.ack()
      const { num_pending, num_ack_pending } = await consumerOf(connection, at.stream.name, 'handler-given-up')
      const { state } = await connection.manager.streams.info('MILLRACE_ADVISORIES', {
        subjects_filter: `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${at.stream.name}.>`,
      })
      return (num_pending === 0 && num_ack_pending <= 1 && Object.keys(state.subjects ?? {}).length === 1) || undefined
    },
    PATIENCE_MS,
  )
  // two processes: one letter
  await work(connection, at, declaration)
  await work(await connectTo((await sharedServer()).url), at, declaration)
  const [letter, ...more] = await untilLetters(one, 1)
  assert.is(letter?.code, 'DELIVERIES_EXHAUSTED')
  assert.equal(JSON.parse(Buffer.from(letter?.data ?? []).toString()), { n: 0, key: 'k0' })
  assert.is(letter?.headers.get('ce-type'), 'thing.asked')
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal([more.length, (await letters(connection, at)).length, handled.length], [0, 1, 0])
})

test('DL12 17 19 what another client terminated is a dead letter, also when the stream has it no more', async () => {
  const one = await world()
  const { connection, at, declaration, next } = one
  await ask(connection, at, 2)
  for (let many = 0; many < 2; many++)
    (await eventually('one is taken', async () => (await next()) ?? undefined, PATIENCE_MS)).term('somebody said so')
  await connection.nats.flush()
  await connection.manager.streams.deleteMessage(at.stream.name, 2)
  await work(connection, at, declaration)
  const found = await untilLetters(one, 2)
  const [there, gone] = found.toSorted((a, b) => (a.subject < b.subject ? -1 : 1))
  assert.equal([there?.code, gone?.code], ['DELIVERY_TERMINATED', 'DELIVERY_TERMINATED'])
  assert.match(there?.detail ?? '', /somebody said so/)
  assert.is(there?.headers.get('ce-type'), 'thing.asked')
  assert.match(gone?.detail ?? '', /the message is gone/)
  await ask(connection, at, 1, { from: 2 })
  await eventually('it goes on', () => one.handled.includes(2) || undefined)
})

test('DL12 an advisory that nobody can read does not keep the next ones from being letters', async () => {
  const one = await world()
  const { connection, at, declaration, next } = one
  await ask(connection, at, 1)
  const consumer = declaration.lanes.map((lane) => laneConsumer(declaration, at.stream, lane).name)[0]
  const subject = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${at.stream.name}.${consumer}`
  const forged = ['x', 0, -1].map((sequence) => JSON.stringify({ stream: at.stream.name, stream_seq: sequence }))
  for (const text of ['no JSON', 'null', ...forged]) connection.nats.publish(subject, text)
  await connection.nats.flush()
  ;(await eventually('it is taken', async () => (await next()) ?? undefined, PATIENCE_MS)).term('somebody said so')
  await work(connection, at, declaration)
  const [letter] = await untilLetters(one, 1)
  assert.is(letter?.code, 'DELIVERY_TERMINATED')
})

test.run()
