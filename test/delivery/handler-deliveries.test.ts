// Handlers over streams of aggregates, and events that are due again and are delivered often.
import { jetstream } from '@nats-io/jetstream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EventStore } from '../../src/actor/event-store.ts'
import { fixed } from '../../src/delivery/backoff.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { retry } from '../../src/delivery/recovery.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { ask, Asked, consumerOf, inWork, letters, place, Urgent, work } from './running-handlers.ts'
import { workInOrder } from './ordered/running-ordered.ts'

const test = suite('deliveries of handlers')

test('DL4 18 20 an event that is due again and was handed back as often as the server allows keeps its attempts, and is handled', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const attempts: number[] = []
  const declaration = defineHandler({
    name: 'tossed-later',
    on: { stream: at.stream.name, events: [Asked] },
    mostDeliveries: 5,
    recovery: retry({ attempts: 3, immediate: 0, backoff: fixed(400) }),
    handle: (_, { attempt }) => {
      attempts.push(attempt)
      if (attempt === 1) throw new Error('once more')
    },
  })
  const { run } = await work(connection, at, declaration)
  // or it would be due again before the handler is stopped, where that takes long
  const { consumers } = connection.manager
  await consumers.pause(at.work.name, 'handler-tossed-later', new Date(Date.now() + 3_600_000))
  await ask(connection, at, 1)
  await eventually('it is put off', () => run.status.counts.later === 1 || undefined)
  await run.stop()
  await consumers.resume(at.work.name, 'handler-tossed-later')
  const pulled = await jetstream(connection.nats).consumers.get(at.work.name, 'handler-tossed-later')
  for (let delivery = 1; delivery <= 3; delivery++) {
    const message = await pulled.next({ expires: 30_000 })
    assert.is(message?.info.deliveryCount, delivery)
    message?.nak()
  }
  await connection.nats.flush()
  await work(connection, at, declaration)
  await eventually('it is handled', () => attempts.length === 2 || undefined)
  assert.equal(attempts, [1, 2])
  await eventually('nothing is left of it', async () => (await inWork(connection, at)) === 0 || undefined)
  assert.equal(await letters(connection, at), [])
})

for (const order of ['none', 'key'] as const)
  test(`with order ${order}, of a stream of aggregates a handler has its types, and the others are done with`, async () => {
    const connection = await sharedConnection()
    const made = await place(connection)
    const at = { ...made, stream: { ...made.stream, aggregates: true as const } }
    const seen: number[] = []
    const declaration = defineHandler({
      name: `of-aggregates-${order}`,
      on: { stream: at.stream.name, events: [Asked] },
      order,
      handle: ({ type, data: { n } }) => {
        assert.is(type, 'thing.asked')
        seen.push(n)
      },
    })
    await ask(connection, at, 5)
    await ask(connection, at, 5, { from: 5, contract: Urgent })
    const store = new EventStore(connection, { stream: at.stream, events: [Asked, Urgent] })
    const appended = [Asked({ n: 10, key: 'own' }), Urgent({ n: 11, key: 'own' }), Asked({ n: 12, key: 'own' })]
    await store.append('thing', 'own', 'none', appended)
    await ask(connection, at, 3, { from: 13 })
    await (order === 'key' ? workInOrder(connection, at, declaration) : work(connection, at, declaration))
    await eventually('its own', () => seen.length === 10 || undefined)
    assert.equal(
      seen.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 10, 12, 13, 14, 15],
    )
    if (order === 'none')
      await eventually('nothing waits', async () => {
        const { num_pending, num_ack_pending } = await consumerOf(
          connection,
          at.stream.name,
          'handler-of-aggregates-none',
        )
        return num_pending + num_ack_pending === 0 || undefined
      })
  })

test.run()
