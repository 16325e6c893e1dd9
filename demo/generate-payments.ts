import { planBroken, type Broken } from './generate-broken.ts'
import { planFraud } from './generate-fraud.ts'
import { planLookAlikes } from './generate-look-alikes.ts'
import { EventWriter, type GeneratedEvent, type Label, type Plan } from './generate-plan.ts'
import { Random } from './generate-random.ts'
import { createTimeline } from './generate-time.ts'
import { createWorld, drawAmount, whereIs, type Card, type World } from './generate-world.ts'

export interface GenerateOptions {
  /** Any 32-bit integer. The same seed and count make the same bytes. Default 1. */
  readonly seed?: number
  /** Events in all, at least 1,000. Default 100,000. */
  readonly count?: number
  /** Days they are spread over. Default 7. */
  readonly days?: number
  /** How many of them are broken. Default 25, fewer where there are fewer than 25,000 events. */
  readonly broken?: number
}

export interface GeneratedPayments {
  /** In order of time. Made while they are read; may be read again and is the same again. */
  readonly events: Iterable<GeneratedEvent>
  /** The frauds among them, in order of time. */
  readonly labels: readonly Label[]
  readonly broken: readonly Broken[]
}

/**
 * Makes the events of the payments stream: everyday payments of a bank’s customers, and among them fraud, honest
 * things that look like fraud, and events that a producer broke. Nothing in an event tells which it is.
 * @throws RangeError when an option cannot be used
 */
export function generatePayments(options: GenerateOptions = {}): GeneratedPayments {
  const { seed = 1, count = 100_000, days = 7 } = options
  const { broken = Math.min(25, Math.floor(count / 1_000)) } = options
  if (!Number.isSafeInteger(count) || count < 1_000) throw new RangeError(`count ${count}: at least 1000`)
  if (!Number.isSafeInteger(days) || days < 3) throw new RangeError(`days ${days}: at least 3`)
  const world = createWorld(seed, Math.max(300, Math.round(count / 20)))
  const plan: Plan = {
    random: new Random(seed, 'plan'),
    world,
    write: new EventWriter(seed, 'planned'),
    timeAt: createTimeline(days),
    events: [],
    labels: [],
    taken: new Set(),
  }
  planFraud(plan, count)
  planLookAlikes(plan, count)
  const list = planBroken(plan, broken)
  plan.events.sort((a, b) => a.at - b.at)
  plan.labels.sort((a, b) => a.from - b.from)
  if (plan.events.length > count) throw new RangeError(`count ${count} is too small for ${broken} broken events`)
  return { events: { [Symbol.iterator]: () => merge(plan, seed, count) }, labels: plan.labels, broken: list }
}

/** Everyday events in the gaps between the planned ones, so that there are `count` in all. */
function* merge(plan: Plan, seed: number, count: number): Generator<GeneratedEvent> {
  const everyday = new Everyday(plan.world, seed)
  const random = new Random(seed, 'arrivals')
  let next = 0
  let left = count - plan.events.length
  let fraction = 0
  while (left > 0) {
    // the smallest of `left` even draws from what remains: sorted draws without holding them
    fraction += (1 - fraction) * (1 - random.next() ** (1 / left--))
    const at = plan.timeAt(fraction)
    for (let first = plan.events[next]; first !== undefined && first.at <= at; first = plan.events[++next])
      yield first.event
    yield everyday.event(at)
  }
  for (; next < plan.events.length; next++) yield (plan.events[next] as Plan['events'][number]).event
}

const REMEMBERED = 8_192

/** What happens on an ordinary day: one event for each moment it is asked for. */
class Everyday {
  readonly #world: World
  readonly #random: Random
  readonly #write: EventWriter
  /** Payments that may yet be refunded; the oldest are overwritten. */
  readonly #recent: (GeneratedEvent | undefined)[] = []
  #paid = 0
  /** A card that has just been verified, for the purchase that comes next. */
  #verified: Card | undefined

  constructor(world: World, seed: number) {
    this.#world = world
    this.#random = new Random(seed, 'everyday')
    this.#write = new EventWriter(seed, 'everyday')
  }

  event(at: number): GeneratedEvent {
    const verified = this.#verified
    this.#verified = undefined
    if (verified !== undefined) return this.#payment(at, verified, 'travel')
    const chance = this.#random.next()
    if (chance < 0.012) return this.#refund(at) ?? this.#payment(at, this.#world.active(this.#random))
    const card = this.#world.active(this.#random)
    if (chance > 0.02) return this.#payment(at, card)
    this.#verified = card
    return this.#write.verified(at, card)
  }

  #payment(at: number, card: Card, category = this.#world.category(this.#random)): GeneratedEvent {
    const place = whereIs(card, at)
    const merchant = this.#world.merchant(this.#random, place === undefined ? 'shop' : category, place ?? card.home)
    const amount = drawAmount(this.#random, merchant)
    const event = this.#write.authorized(at, { card, merchant, amount })
    this.#recent[this.#paid++ % REMEMBERED] = event
    return event
  }

  /** Gives back a payment of the last hours, each at most once; a third of them in part. */
  #refund(at: number): GeneratedEvent | undefined {
    const slot = Math.floor(this.#recent.length * this.#random.next())
    const payment = this.#recent[slot]
    if (payment === undefined) return undefined
    this.#recent[slot] = undefined
    return this.#write.refunded(at, payment, this.#random.next() < 0.33 ? this.#random.between(0.2, 0.9) : 1)
  }
}
