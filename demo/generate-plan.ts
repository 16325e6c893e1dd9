import { Random, mix } from './generate-random.ts'
import { cents, type Card, type Category, type Merchant, type World } from './generate-world.ts'
import type { City } from './generate-places.ts'

/** A CloudEvent in the JSON format. `time` is RFC 3339 in UTC. */
export interface GeneratedEvent {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly time: string
  readonly partitionkey: string
  /** Only where it is not 1. */
  readonly dataversion?: string
  readonly data: Readonly<Record<string, unknown>>
}

export type FraudKind = 'card-testing' | 'velocity' | 'impossible-travel' | 'refund-abuse'

/** One fraud that was put in. Times in milliseconds since the Unix epoch, both inclusive. */
export interface Label {
  readonly kind: FraudKind
  readonly cardId: string
  readonly from: number
  readonly to: number
  readonly eventIds: readonly string[]
}

export interface Planned {
  readonly at: number
  readonly event: GeneratedEvent
}

/** What is put in between the everyday payments, and what it takes to make it up. */
export interface Plan {
  readonly random: Random
  readonly world: World
  readonly write: EventWriter
  /** The moment by which this fraction of all payments of the period has happened. */
  readonly timeAt: (fraction: number) => number
  readonly events: Planned[]
  readonly labels: Label[]
  readonly taken: Set<Card>
}

export interface Payment {
  readonly card: Card
  readonly merchant: Merchant
  readonly amount: number
}

/** Makes events. Ids come from a permutation of a counter: unique, and they tell nothing of why an event was made. */
export class EventWriter {
  readonly #seed: number
  #made: number

  constructor(seed: number, purpose: 'planned' | 'everyday') {
    this.#seed = mix(seed ^ (purpose === 'planned' ? 0x5bd1e995 : 0x27d4eb2f))
    this.#made = purpose === 'planned' ? 0x8000_0000 : 1
  }

  authorized(at: number, { card, merchant, amount }: Payment): GeneratedEvent {
    const id = this.#id()
    const { merchantId, country, latitude, longitude } = merchant
    const channel = merchant.online ? 'online' : amount < 50 ? 'contactless' : 'chip'
    const { cardId, customerId, currency } = card
    return envelope(id, 'payment.authorized', at, cardId, {
      paymentId: `pay-${id}`,
      cardId,
      customerId,
      merchantId,
      amount,
      currency,
      country,
      latitude,
      longitude,
      channel,
    })
  }

  verified(at: number, { cardId }: Card): GeneratedEvent {
    return envelope(this.#id(), 'card.verified', at, cardId, { cardId })
  }

  refunded(at: number, payment: GeneratedEvent, share = 1): GeneratedEvent {
    const id = this.#id()
    const { paymentId, cardId, merchantId, amount } = payment.data
    return envelope(id, 'payment.refunded', at, String(cardId), {
      refundId: `refund-${id}`,
      paymentId,
      cardId,
      merchantId,
      amount: cents(Number(amount) * share),
    })
  }

  #id(): string {
    const serial = this.#made++
    // the low half alone is unique: mix is a permutation, and the two writers count in different halves
    return hex(mix(serial ^ this.#seed)) + hex(mix(serial))
  }
}

/** Puts a planned event in; planned events may be added in any order. */
export function put(plan: Plan, at: number, event: GeneratedEvent): GeneratedEvent {
  plan.events.push({ at, event })
  return event
}

export function pay(plan: Plan, at: number, card: Card, merchant: Merchant, amount: number): GeneratedEvent {
  return put(plan, at, plan.write.authorized(at, { card, merchant, amount: cents(amount) }))
}

export function shop(plan: Plan, category: Category, city: City): Merchant {
  return plan.world.merchant(plan.random, category, city)
}

/** A card that nothing else is planned for, so that each thing put in stays what it was meant to be. */
export function takeCard(plan: Plan): Card {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const card = plan.random.pick(plan.world.cards)
    if (plan.taken.has(card)) continue
    plan.taken.add(card)
    return card
  }
  throw new RangeError('too few cards for what is planned')
}

/** A moment, at which payments are as likely as everyday ones, far enough from the ends for what follows from it. */
export function drawTime(plan: Plan): number {
  return plan.timeAt(plan.random.between(0.02, 0.95))
}

export function label(plan: Plan, kind: FraudKind, card: Card, events: readonly GeneratedEvent[]): void {
  const times = events.map(({ time }) => Date.parse(time))
  const eventIds = events.map(({ id }) => id)
  plan.labels.push({ kind, cardId: card.cardId, from: Math.min(...times), to: Math.max(...times), eventIds })
}

function envelope(
  id: string,
  type: string,
  at: number,
  partitionkey: string,
  data: Readonly<Record<string, unknown>>,
): GeneratedEvent {
  const time = new Date(at).toISOString()
  return { specversion: '1.0', id, source: '/demo/card-network', type, time, partitionkey, data }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
