import { FAR_CITIES, HOME_CITIES, distanceKm, type City } from './generate-places.ts'
import { drawTime, label, pay, put, shop, takeCard, type GeneratedEvent, type Plan } from './generate-plan.ts'
import { drawAmount, type Card, type Category } from './generate-world.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Frauds of each kind per 100,000 events. */
const RATES: readonly (readonly [(plan: Plan) => void, number])[] = [
  [cardTesting, 40],
  [velocity, 40],
  [impossibleTravel, 40],
  [refundAbuse, 30],
]

/**
 * Puts labelled fraud in. How fast, how far and how dear is drawn from distributions with a tail, so that a few frauds
 * stay under any limit that a rule can have without troubling honest people.
 */
export function planFraud(plan: Plan, count: number): void {
  for (const [put, rate] of RATES)
    for (let left = Math.max(1, Math.round((rate * count) / 100_000)); left > 0; left--) put(plan)
}

/** Tiny payments that find out whether a stolen number works, then one that pays off. */
function cardTesting(plan: Plan): void {
  const { random } = plan
  const card = takeCard(plan)
  const tester = shop(plan, 'shop', card.home)
  const events: GeneratedEvent[] = []
  let at = drawTime(plan)
  let sum = 0
  for (let left = random.integer(3, 7); left > 0; left--) {
    const amount = random.between(0.5, 1.9)
    sum += amount
    events.push(pay(plan, at, card, tester, amount))
    at += random.between(10, 45) * SECOND
  }
  at += around(plan, 1.5, 0.9) * MINUTE
  const goal = shop(plan, random.pick(['shop', 'electronics'] satisfies Category[]), card.home)
  events.push(pay(plan, at, card, goal, (sum / events.length) * random.between(80, 400)))
  label(plan, 'card-testing', card, events)
}

/** A stolen number used as often as it goes before it is blocked. */
function velocity(plan: Plan): void {
  const { random } = plan
  const card = takeCard(plan)
  const count = random.integer(8, 15)
  const gap = around(plan, 4, 0.55) * SECOND
  const events: GeneratedEvent[] = []
  let at = drawTime(plan)
  for (let n = 0; n < count; n++) {
    const merchant = shop(plan, 'shop', card.home)
    events.push(pay(plan, at, card, merchant, drawAmount(random, merchant) + 5))
    at += gap * random.between(0.6, 1.4)
  }
  label(plan, 'velocity', card, events)
}

/** The holder pays at home, a copy of the card pays where the holder cannot be: in another country, now and then a town away. */
function impossibleTravel(plan: Plan): void {
  const { random } = plan
  const card = takeCard(plan)
  const start = drawTime(plan)
  const here = shop(plan, 'groceries', card.home)
  const events = [pay(plan, start, card, here, drawAmount(random, here))]
  let at = start
  if (random.next() < 0.06) {
    at += random.between(1, 5) * MINUTE
    events.push(payNearby(plan, at, card, random.between(0.5, 1.5)))
  } else {
    const city = distantCity(plan, card)
    // at most two thirds of the time that a plane would need
    const flight = (distanceKm(card.home, city) / 900) * HOUR
    at += Math.min(90 * MINUTE, flight * random.between(0.15, 0.65))
    for (let left = random.integer(1, 3); left > 0; left--) {
      const merchant = shop(plan, random.pick(['electronics', 'clothing'] satisfies Category[]), city)
      events.push(pay(plan, at, card, merchant, drawAmount(random, merchant)))
      at += random.between(2, 12) * MINUTE
    }
  }
  label(plan, 'impossible-travel', card, events)
}

/** Purchases that are given back at once, several in a row. */
function refundAbuse(plan: Plan): void {
  const { random } = plan
  const card = takeCard(plan)
  const merchant = shop(plan, 'clothing', card.home)
  const bought: GeneratedEvent[] = []
  let at = plan.timeAt(random.between(0.02, 0.9))
  for (let left = random.integer(3, 6); left > 0; left--) {
    bought.push(pay(plan, at, card, merchant, 60 + drawAmount(random, merchant)))
    at += random.between(1, 3) * MINUTE
  }
  const events = [...bought]
  const gap = around(plan, 8, 0.8) * MINUTE
  for (const payment of bought) {
    at += gap * random.between(0.6, 1.4)
    events.push(put(plan, at, plan.write.refunded(at, payment)))
  }
  label(plan, 'refund-abuse', card, events)
}

function distantCity(plan: Plan, card: Card): City {
  for (;;) {
    const city = plan.random.pick([...HOME_CITIES, ...FAR_CITIES])
    if (distanceKm(card.home, city) > 500) return city
  }
}

/** A payment in a town that many degrees north of home. */
function payNearby(plan: Plan, at: number, card: Card, degrees: number): GeneratedEvent {
  const merchant = shop(plan, 'electronics', card.home)
  const latitude = Math.round((card.home.latitude + degrees) * 1e4) / 1e4
  return pay(plan, at, card, { ...merchant, latitude }, drawAmount(plan.random, merchant))
}

/** Log-normal: half the draws are below the median, and some lie far above. */
function around(plan: Plan, median: number, spread: number): number {
  return median * Math.exp(spread * plan.random.normal())
}
