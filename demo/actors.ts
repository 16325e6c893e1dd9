// The demo's actors: orders that are told while everything runs, and what must have become of each, whatever was killed.
import { createActorClient, type ActorClient } from '../src/actor/actor-client.ts'
import { parseRecordSubject, recordFilter } from '../src/actor/aggregate-subject.ts'
import { readRecord } from '../src/actor/read-record.ts'
import { fromDelivered } from '../src/actor/record.ts'
import type { Connection } from '../src/broker/connection.ts'
import type { StoredEvent } from '../src/event/event.ts'
import { readRange } from '../src/replay/read-range.ts'
import { actorHomes } from '../src/runtime/actor-homes.ts'
import type { Deployment } from '../src/runtime/deployment.ts'
import { systemId } from '../src/time/system-chance.ts'
import { systemClock } from '../src/time/system-clock.ts'
import order from '../streams/supply/actors/order.ts'
import shipment from '../streams/supply/actors/shipment.ts'
import stock from '../streams/supply/actors/stock.ts'
import { AddStock, DispatchShipment, PlaceOrder } from '../streams/supply/commands.ts'

const ORDERS = 300
const PARTS = ['bearing', 'belt', 'filter', 'motor', 'valve']
/** Of so many orders, one is too dear, one is never fetched, and one wants more than there ever is. */
const EVERY = 10

export interface ActorsResult {
  readonly commands: number
  readonly aggregates: number
  readonly completed: number
  readonly compensated: number
  /** What is not as it must be, in words. */
  readonly wrong: readonly string[]
}

type Fate = 'completed' | 'payment-declined' | 'deadline' | 'out-of-stock'

/** What becomes of the order of a number. */
function fateOf(at: number): Fate {
  return (['payment-declined', 'deadline', 'out-of-stock'] as const)[at % EVERY] ?? 'completed'
}

export class DemoActors {
  readonly #connection: Connection
  readonly #deployment: Deployment
  readonly #client: ActorClient

  constructor(connection: Connection, deployment: Deployment) {
    this.#connection = connection
    this.#deployment = deployment
    const homes = actorHomes(deployment)
    this.#client = createActorClient({ connection, clock: systemClock, newId: systemId, homes })
  }

  /** Tells every order, twice: as somebody does who got no receipt. */
  async place(): Promise<void> {
    const parts = this.#client.actor(stock)
    await Promise.all(PARTS.map((sku) => parts.tell(AddStock({ sku, quantity: ORDERS }), { id: 'delivery' })))
    const orders = this.#client.actor(order)
    for (const _ of ['once', 'again'])
      await Promise.all(
        Array.from({ length: ORDERS }, (_each, at) => orders.tell(commandFor(at), { id: `order-${at}` })),
      )
  }

  /** The carrier fetches what is ready, but for the orders that are to be forgotten, until every order has ended. */
  async deliver(signal: AbortSignal): Promise<void> {
    const parcels = this.#client.actor(shipment)
    const fetched = new Set<string>()
    for (const end = performance.now() + 60_000; performance.now() < end;) {
      signal.throwIfAborted()
      const events = (await this.#histories()).flatMap((history) => history.events)
      const ready = events.filter(({ type, key = '' }) => type === 'shipment.requested' && !fetched.has(key))
      for (const { key: orderId = '' } of ready) {
        fetched.add(orderId)
        if (fateOf(Number(orderId.slice(2))) === 'completed')
          await parcels.tell(DispatchShipment({ orderId, tracking: `T-${orderId}` }), { id: 'fetched' })
      }
      const ended = events.filter(({ type }) => type === 'order.completed' || type === 'order.cancelled')
      const free = events.filter(({ type }) => type === 'stock.used' || type === 'stock.released').length
      const taken = events.filter(({ type }) => type === 'stock.reserved').length
      if (ended.length >= ORDERS && free === taken) return
      await systemClock.sleep(100)
    }
  }

  /** Holds the histories against what was asked for. */
  async check(): Promise<ActorsResult> {
    const histories = await this.#histories()
    const wrong: string[] = []
    const counts = { completed: 0, compensated: 0 }
    for (const { name, events } of histories)
      events.forEach(({ attributes }, at) => {
        if (attributes['aggregateversion'] !== String(at + 1)) wrong.push(`${name} has a gap at version ${at + 1}`)
      })
    const all = histories.flatMap(({ events }) => events)
    for (let at = 0; at < ORDERS; at++) {
      const own = all.filter(({ data }) => (data as { orderId?: string }).orderId === `o-${at}`)
      const count = (type: string): number => own.filter((event) => event.type === type).length
      const [fate, last] = [fateOf(at), own.find(({ type }) => /^order\.(?:completed|cancelled)$/.test(type))]
      const reason =
        (last?.data as { reason?: string } | undefined)?.reason ?? (last === undefined ? 'open' : 'completed')
      if (reason !== fate) wrong.push(`order o-${at} is ${reason}, not ${fate}`)
      if (count('order.placed') !== 1) wrong.push(`order o-${at} was placed ${count('order.placed')} times`)
      const [taken, back] = [count('charge.taken'), count('charge.refunded')]
      if (taken - back !== (fate === 'completed' ? 1 : 0))
        wrong.push(`order o-${at}: charged ${taken}, refunded ${back}`)
      if (count('stock.reserved') !== count('stock.released') + count('stock.used'))
        wrong.push(`order o-${at}: its parts are still set aside`)
      if (fate === 'completed') counts.completed += 1
      else counts.compensated += 1
    }
    this.#client.close()
    const told = { subjects_filter: 'supply-commands.>' }
    const { subjects = {} } = (await this.#connection.manager.streams.info('SUPPLY_COMMANDS', told)).state
    const commands = Object.values(subjects).reduce((sum, count) => sum + count, 0)
    return { commands, aggregates: histories.length, ...counts, wrong }
  }

  async #histories(): Promise<{ readonly name: string; readonly events: StoredEvent[] }[]> {
    const { registry } = this.#deployment
    const { state } = await this.#connection.manager.streams.info('SUPPLY')
    const histories = new Map<string, StoredEvent[]>()
    if (state.messages === 0) return []
    await readRange(this.#connection, {
      stream: 'SUPPLY',
      filters: [recordFilter('supply')],
      first: state.first_seq,
      last: state.last_seq,
      clock: systemClock,
      take: (messages) => {
        for (const message of messages) {
          const aggregate = parseRecordSubject('supply', message.subject)
          if (aggregate === undefined) continue
          const name = `${aggregate.type} ${aggregate.id}`
          const { events } = readRecord(registry, fromDelivered(message), 'SUPPLY', name)
          histories.set(name, [...(histories.get(name) ?? []), ...events])
        }
      },
    })
    return [...histories].map(([name, events]) => ({ name, events }))
  }
}

function commandFor(at: number): ReturnType<typeof PlaceOrder> & { readonly key: string } {
  const fate = fateOf(at)
  return PlaceOrder({
    orderId: `o-${at}`,
    sku: PARTS[at % PARTS.length] ?? '',
    quantity: fate === 'out-of-stock' ? 10 * ORDERS : 1,
    amount: fate === 'payment-declined' ? 9_000 : 20 + at,
    customerId: `cu-${at % 40}`,
    within: fate === 'deadline' ? '4s' : '10m',
  }) as ReturnType<typeof PlaceOrder> & { readonly key: string }
}
