// The actors that the demo declares, run by the runtime on a server of their own.
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorClient, type ActorClient } from '../../src/actor/actor-client.ts'
import { recordFilter } from '../../src/actor/aggregate-subject.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { decodeEvents } from '../../src/event/decode-event.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { silentLog } from '../../src/observe/log.ts'
import { actorHomes } from '../../src/runtime/actor-homes.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import analysis from '../../streams/cards/actors/analysis.ts'
import card from '../../streams/cards/actors/card.ts'
import {
  AuthorizePayment,
  CloseDispute,
  DecideAnalysis,
  DisputePayment,
  OverrideAnalysis,
} from '../../streams/cards/commands.ts'
import { FraudSuspected } from '../../streams/payments/events.ts'
import order from '../../streams/supply/actors/order.ts'
import shipment from '../../streams/supply/actors/shipment.ts'
import stock from '../../streams/supply/actors/stock.ts'
import { AddStock, DispatchShipment, PlaceOrder } from '../../streams/supply/commands.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'

const FOLDER = fileURLToPath(new URL('../../streams', import.meta.url))

interface World {
  readonly connection: Connection
  readonly deployment: Deployment
  readonly client: ActorClient
  readonly stop: () => Promise<void>
}

const test = suite<World>('actors of the demo')

test.before(async (world) => {
  const connection = await connectTo((await startTestServer()).url)
  const all = await discover(FOLDER)
  const deployment = { ...all, pipelines: [], rules: [] }
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const runtime = await createRuntime({ connection, deployment, clock: systemClock, log: silentLog, owner: 'test' })
  const client = createActorClient({ connection, clock: systemClock, newId: systemId, homes: actorHomes(deployment) })
  Object.assign(world, { connection, deployment, client, stop: () => runtime.stop() })
})
test.after(async ({ client, stop }) => {
  client.close()
  await stop()
})

/** What happened to aggregates, in the order of the log. */
async function history({ connection, deployment }: World, stream: string, id: string): Promise<StoredEvent[]> {
  const root = deployment.streams.find(({ name }) => name === stream)?.root ?? ''
  const messages = await readAll(connection, stream, [recordFilter(root)])
  return messages.flatMap((message) =>
    decodeEvents(deployment.registry, message, {
      stream,
      sequence: message.sequence,
      storedAt: message.storedAt,
    }).flatMap((decoded) =>
      decoded.kind === 'event' && JSON.stringify(decoded.event.data).includes(`"${id}"`) ? [decoded.event] : [],
    ),
  )
}

async function untilIn(world: World, stream: string, id: string, last: string): Promise<string[]> {
  const look = async () => {
    const types = (await history(world, stream, id)).map(({ type }) => type)
    return types.includes(last) ? types : undefined
  }
  return eventually(`${last} of ${id}`, look, 60_000)
}

const place = (orderId: string, more: { quantity?: number; amount?: number; sku?: string; within?: string } = {}) =>
  PlaceOrder({ orderId, sku: 'bolt', quantity: 2, amount: 40, customerId: 'cu1', ...more })

test('an order takes its parts, its money and its parcel, and is completed', async (world) => {
  await world.client.actor(stock).request(AddStock({ sku: 'bolt', quantity: 10 }))
  const outcome = await world.client.actor(order).request(place('o1'))
  assert.is(outcome.kind, 'accepted')
  await untilIn(world, 'SUPPLY', 'o1', 'shipment.requested')
  await world.client.actor(shipment).request(DispatchShipment({ orderId: 'o1', tracking: 't1' }))
  const types = await untilIn(world, 'SUPPLY', 'o1', 'stock.used')
  assert.equal(types, [
    'order.placed',
    'stock.reserved',
    'order.reserved',
    'charge.begun',
    'charge.taken',
    'order.paid',
    'shipment.requested',
    'shipment.dispatched',
    'order.completed',
    'stock.used',
  ])
  const again = await world.client.actor(order).request(place('o1'))
  assert.equal(again.kind === 'rejected' && [again.code, again.version], ['already-placed', 4])
})

test('an order that is not paid gives its parts back; one without parts costs nothing', async (world) => {
  await world.client.actor(stock).request(AddStock({ sku: 'nut', quantity: 3 }))
  await world.client.actor(order).request(place('o2', { sku: 'nut', amount: 9_000 }))
  assert.equal(await untilIn(world, 'SUPPLY', 'o2', 'stock.released'), [
    'order.placed',
    'stock.reserved',
    'order.reserved',
    'charge.begun',
    'charge.declined',
    'order.cancelled',
    'stock.released',
  ])
  await world.client.actor(order).request(place('o3', { sku: 'nut', quantity: 4 }))
  assert.equal(await untilIn(world, 'SUPPLY', 'o3', 'order.cancelled'), [
    'order.placed',
    'stock.short',
    'order.cancelled',
  ])
})

test('an order that takes too long is taken back as a whole at its deadline', async (world) => {
  await world.client.actor(stock).request(AddStock({ sku: 'gear', quantity: 5 }))
  let id = ''
  for (const within of ['1500ms', '6s', '24s']) {
    id = `o4-${within}`
    await world.client.actor(order).request(place(id, { sku: 'gear', within }))
    const before = await untilIn(world, 'SUPPLY', id, 'order.cancelled')
    // it is to come that far before its deadline, which a busy machine may not do at first
    if (before.slice(0, before.indexOf('order.cancelled')).includes('shipment.requested')) break
    if (before.includes('stock.reserved')) await untilIn(world, 'SUPPLY', id, 'stock.released')
  }
  const types = await eventually('all of it', async () => {
    const all = (await history(world, 'SUPPLY', id)).map(({ type }) => type)
    const back = ['shipment.cancelled', 'charge.refunded', 'stock.released']
    return back.every((type) => all.includes(type)) ? all : undefined
  })
  assert.equal(types.slice(0, 8), [
    'order.placed',
    'stock.reserved',
    'order.reserved',
    'charge.begun',
    'charge.taken',
    'order.paid',
    'shipment.requested',
    'order.cancelled',
  ])
  const events = await history(world, 'SUPPLY', id)
  assert.is((events[7]?.data as { reason?: string } | undefined)?.reason, 'deadline')
  assert.is(types.filter((type) => type === 'order.cancelled').length, 1)
})

test('a card pays up to its limit; a dispute is closed once; a suspicion that is fraud blocks it', async (world) => {
  const cards = world.client.actor(card)
  const pay = (paymentId: string, amount: number) =>
    cards.request(AuthorizePayment({ cardId: 'c1', paymentId, merchantId: 'm', amount }))
  assert.is((await pay('p1', 4_000)).kind, 'accepted')
  const over = await pay('p2', 2_000)
  assert.equal(over.kind === 'rejected' && [over.code, over.data], ['over-limit', { left: 1_000 }])
  const dispute = DisputePayment({ cardId: 'c1', paymentId: 'p1', reason: 'not mine' })
  assert.is((await cards.request(dispute)).kind, 'accepted')
  const close = CloseDispute({ cardId: 'c1', paymentId: 'p1', result: 'refunded' })
  assert.is((await cards.request(close)).kind, 'accepted')
  await publishAll(world.connection, streamOf(world, 'PAYMENTS'), [FraudSuspected({ cardId: 'c1' }, { id: 'f1' })])
  const [, requested] = await eventually('an analysis', async () => {
    const events = await history(world, 'CARDS', 'c1')
    const found = events.find(({ type }) => type === 'analysis.requested')
    return found === undefined ? undefined : ([true, found] as const)
  })
  const analysisId = requested.key ?? ''
  const analyses = world.client.actor(analysis)
  const decided = DecideAnalysis({ analysisId, by: 'ann', verdict: 'honest', confidence: 0.7, reason: 'known shop' })
  assert.is((await analyses.request(decided)).kind, 'accepted')
  assert.is((await analyses.request(decided)).kind, 'rejected')
  await analyses.request(OverrideAnalysis({ analysisId, by: 'bob', verdict: 'fraud', reason: 'the holder called' }))
  await untilIn(world, 'CARDS', 'c1', 'card.blocked')
  const blocked = await pay('p3', 1)
  assert.equal(blocked.kind === 'rejected' && blocked.code, 'card-blocked')
})

function streamOf({ deployment }: World, name: string) {
  const found = deployment.streams.find((stream) => stream.name === name)
  if (found === undefined) throw new Error(name)
  return found
}

test.run()
