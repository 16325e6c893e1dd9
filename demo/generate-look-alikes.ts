import { ALL_CITIES, distanceKm } from './generate-places.ts'
import { drawTime, pay, put, shop, takeCard, type GeneratedEvent, type Plan } from './generate-plan.ts'
import { drawAmount } from './generate-world.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/**
 * What honest people do that looks like fraud, per 100,000 events. Some of it no rule can tell from fraud: that is why
 * precision is below one.
 */
const RATES: readonly (readonly [(plan: Plan) => void, number])[] = [
  [vendingBreak, 80],
  [rounds, 30],
  [travel, 110],
  [sharedWallet, 2],
  [returnedParcel, 40],
]

/** Puts honest look-alikes of fraud in; they have no label. */
export function planLookAlikes(plan: Plan, count: number): void {
  for (const [put, rate] of RATES) for (let left = Math.round((rate * count) / 100_000); left > 0; left--) put(plan)
}

/** Coffee for the team from a machine, coin by coin, and perhaps something dear right after. */
function vendingBreak(plan: Plan): void {
  const { random } = plan
  const card = takeCard(plan)
  const machine = shop(plan, 'vending', card.home)
  let at = drawTime(plan)
  for (let left = random.integer(3, 5); left > 0; left--) {
    pay(plan, at, card, machine, random.between(0.9, 1.8))
    at += random.between(12, 40) * SECOND
  }
  if (random.next() < 0.75) return
  at += MINUTE
  if (random.next() < 0.9) put(plan, at, plan.write.verified(at, card))
  at += random.between(10, 60) * SECOND
  pay(plan, at, card, shop(plan, 'travel', card.home), random.between(120, 600))
}

/** One payment for each of several things within a minute: a round of drinks, a parcel split by the shop. */
function rounds(plan: Plan): void {
  const { random } = plan
  const card = takeCard(plan)
  const bar = shop(plan, 'restaurant', card.home)
  let at = drawTime(plan)
  for (let left = 2 + more(plan, 0.45); left > 0; left--) {
    pay(plan, at, card, bar, random.between(3, 25))
    at += random.between(4, 7) * SECOND
  }
}

/** There and back by train or plane, paying before and after each way. Everyday payments follow the holder. */
function travel(plan: Plan): void {
  const { random } = plan
  const card = takeCard(plan)
  const city = random.pick(ALL_CITIES.filter(({ name }) => name !== card.home.name))
  const distance = distanceKm(card.home, city)
  const way = (distance < 600 ? distance / 160 : distance / 850) * HOUR + 30 * MINUTE
  const leaves = plan.timeAt(random.between(0.05, 0.5))
  const arrives = leaves + way
  const returns = arrives + random.between(8, 50) * HOUR
  card.trip = { city, leaves, arrives, returns, back: returns + way }
  const end = plan.timeAt(1)
  const buy = (at: number, category: 'restaurant' | 'transit', where: typeof city): void => {
    const merchant = shop(plan, category, where)
    if (at < end) pay(plan, at, card, merchant, drawAmount(random, merchant))
  }
  buy(leaves - 15 * MINUTE, 'restaurant', card.home)
  buy(arrives + random.between(10, 40) * MINUTE, 'transit', city)
  buy(returns - 25 * MINUTE, 'restaurant', city)
  buy(card.trip.back + random.between(10, 40) * MINUTE, 'transit', card.home)
}

/** One card in the telephones of two people, one of whom is away. */
function sharedWallet(plan: Plan): void {
  const { random } = plan
  const card = takeCard(plan)
  const away = random.pick(ALL_CITIES.filter((city) => distanceKm(card.home, city) > 500))
  let at = drawTime(plan)
  for (const city of [card.home, away]) {
    const merchant = shop(plan, 'groceries', city)
    pay(plan, at, card, merchant, drawAmount(random, merchant))
    at += random.between(5, 20) * MINUTE
  }
}

/** Clothes tried on in the shop and handed back item by item. */
function returnedParcel(plan: Plan): void {
  const { random } = plan
  const items = 1 + more(plan, 0.22)
  const card = takeCard(plan)
  const merchant = shop(plan, 'clothing', card.home)
  const bought: GeneratedEvent[] = []
  let at = drawTime(plan)
  for (let n = 0; n < items; n++) {
    bought.push(pay(plan, at, card, merchant, 25 + drawAmount(random, merchant)))
    at += random.between(1, 3) * MINUTE
  }
  at += 15 * MINUTE
  for (const payment of bought) {
    put(plan, at, plan.write.refunded(at, payment))
    at += random.between(1, 4) * MINUTE
  }
}

/** Geometric: none with 1 - `again`, one more each time with `again`. */
function more(plan: Plan, again: number): number {
  let count = 0
  while (plan.random.next() < again) count++
  return count
}
