import { ALL_CITIES, HOME_CITIES, type City } from './generate-places.ts'
import { Random } from './generate-random.ts'

export type Category = keyof typeof CATEGORIES

interface Shape {
  /** Median amount of the category; the logarithm of an amount is normal. */
  readonly median: number
  readonly spread: number
  /** How often it is chosen, in parts of the sum. */
  readonly share: number
  readonly online: boolean
}

const CATEGORIES = {
  groceries: { median: 27, spread: 0.75, share: 30, online: false },
  restaurant: { median: 23, spread: 0.6, share: 17, online: false },
  vending: { median: 1.6, spread: 0.2, share: 6, online: false },
  transit: { median: 2.9, spread: 0.3, share: 11, online: false },
  fuel: { median: 58, spread: 0.35, share: 7, online: false },
  electronics: { median: 160, spread: 0.9, share: 3, online: false },
  clothing: { median: 48, spread: 0.6, share: 6, online: false },
  shop: { median: 36, spread: 0.9, share: 14, online: true },
  subscription: { median: 11, spread: 0.4, share: 4, online: true },
  travel: { median: 290, spread: 0.8, share: 2, online: true },
} as const satisfies Record<string, Shape>

export interface Merchant {
  readonly merchantId: string
  readonly category: Category
  readonly online: boolean
  readonly country: string
  readonly latitude: number
  readonly longitude: number
  /** Mean and deviation of the logarithm of its amounts. */
  readonly mean: number
  readonly spread: number
}

/** Away from home: at home until `leaves`, in the city from `arrives` to `returns`, home again at `back`. */
export interface Trip {
  readonly city: City
  readonly leaves: number
  readonly arrives: number
  readonly returns: number
  readonly back: number
}

export interface Card {
  readonly cardId: string
  readonly customerId: string
  readonly currency: string
  readonly home: City
  trip: Trip | undefined
}

export interface World {
  readonly cards: readonly Card[]
  /** A card drawn by how often it is used: a few people pay several times as often as most. */
  readonly active: (random: Random) => Card
  /** A merchant of the category: in the city, or anywhere when the category sells online. */
  readonly merchant: (random: Random, category: Category, city: City) => Merchant
  readonly category: (random: Random) => Category
}

const MERCHANTS_PER_CITY = 8
const CATEGORY_NAMES = Object.keys(CATEGORIES) as Category[]

export function createWorld(seed: number, customers: number): World {
  const cards = createCards(new Random(seed, 'cards'), customers)
  const merchants = createMerchants(new Random(seed, 'merchants'))
  const wheel = CATEGORY_NAMES.flatMap((name) => Array<Category>(CATEGORIES[name].share).fill(name))
  return {
    cards,
    active: (random) => cards[Math.floor(cards.length * random.next() ** 1.25)] as Card,
    merchant: (random, category, city) => {
      const place = CATEGORIES[category].online ? ONLINE : city.name
      return random.pick(merchants.get(`${place}/${category}`) ?? [])
    },
    category: (random) => random.pick(wheel),
  }
}

/** An amount as this merchant’s customers spend it, in whole cents and never nothing. */
export function drawAmount(random: Random, merchant: Merchant): number {
  return cents(Math.exp(merchant.mean + merchant.spread * random.normal()))
}

export function cents(amount: number): number {
  return Math.max(0.01, Math.round(amount * 100) / 100)
}

/** Where the cardholder is; nothing on the way, when only online payments are possible. */
export function whereIs(card: Card, at: number): City | undefined {
  const trip = card.trip
  if (trip === undefined || at < trip.leaves || at >= trip.back) return card.home
  return at >= trip.arrives && at < trip.returns ? trip.city : undefined
}

const ONLINE = 'online'

function createCards(random: Random, customers: number): Card[] {
  const cards: Card[] = []
  for (let customer = 1; customer <= customers; customer++) {
    const home = random.pick(HOME_CITIES)
    const count = random.next() < 0.2 ? 2 : 1
    for (let n = 0; n < count; n++)
      cards.push({
        cardId: `card-${String(cards.length + 1).padStart(6, '0')}`,
        customerId: `customer-${String(customer).padStart(6, '0')}`,
        currency: 'EUR',
        home,
        trip: undefined,
      })
  }
  // The order decides how active a card is: it must say nothing about whose card it is.
  for (let i = cards.length - 1; i > 0; i--) {
    const j = random.integer(0, i)
    const card = cards[i] as Card
    cards[i] = cards[j] as Card
    cards[j] = card
  }
  return cards
}

function createMerchants(random: Random): Map<string, Merchant[]> {
  const merchants = new Map<string, Merchant[]>()
  let number = 0
  for (const category of CATEGORY_NAMES) {
    const shape = CATEGORIES[category]
    for (const city of ALL_CITIES) {
      const place = `${shape.online ? ONLINE : city.name}/${category}`
      const list = merchants.get(place) ?? []
      merchants.set(place, list)
      for (let n = 0; n < MERCHANTS_PER_CITY; n++)
        list.push({
          merchantId: `merchant-${String(++number).padStart(5, '0')}`,
          category,
          online: shape.online,
          country: city.country,
          latitude: Math.round((city.latitude + random.between(-0.12, 0.12)) * 1e4) / 1e4,
          longitude: Math.round((city.longitude + random.between(-0.12, 0.12)) * 1e4) / 1e4,
          mean: Math.log(shape.median) + 0.2 * random.normal(),
          spread: shape.spread,
        })
    }
  }
  return merchants
}
