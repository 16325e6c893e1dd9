// Many rules on one stream. A rule is about one country, ten rules about each: an event touches ten rules, however many
// there are. Ten rules see a stream of their country only; 1,000 rules a stream of a hundred countries, otherwise the same.
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import { RuleSet } from '../../src/cep/rule-set/rule-set.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { isWanted, measure, median, round3, type Rounds } from '../harness.ts'
import { collectGarbage, dispatcher, passOver, payloadOf } from './loop.ts'
import { storedEvent } from './queries.ts'

const EVENTS = 100_000
const KEYS = 10_000
const PER_COUNTRY = 10

export async function rules(context: Rounds): Promise<void> {
  const costs = new Map<number, number>()
  for (const count of [1, 10, 100, 1_000]) {
    if (!isWanted(context, `rules-${count}`, 'rules-1000-vs-10')) continue
    const events = paymentsOf(Math.max(1, count / PER_COUNTRY))
    const payloads = events.map((event) => payloadOf(event, (event.data as { card: string }).card))
    const rates: number[] = []
    await measure({ ...context, cases: [] }, 'cep', {
      name: `rules-${count}`,
      unit: 'events/s',
      against: 'decode and dispatch',
      prepare: collectGarbage,
      candidate: () => {
        rates.push(pass(ruleSet(count), events))
        return Promise.resolve(rates.at(-1) ?? 0)
      },
      baseline: () => Promise.resolve(passOver(payloads, dispatcher())),
    })
    costs.set(count, 1_000_000 / median(rates.slice(1)))
  }
  if (!isWanted(context, 'rules-1000-vs-10')) return
  const [ten = 0, thousand = 0] = [costs.get(10), costs.get(1_000)]
  context.report({
    bench: 'cep',
    case: 'rules-1000-vs-10',
    value: round3(thousand / ten),
    unit: 'times the cost of ten rules',
    baseline: 1,
    ratio: round3(thousand / ten),
    runs: context.rounds,
    against: `ten rules (${round3(ten)} µs an event)`,
  })
}

function ruleSet(count: number): RuleSet {
  const set = new RuleSet()
  for (let at = 0; at < count; at++) set.add(parseRule(ruleText(at), { file: 'bench.yaml' }))
  return set
}

/** A charge in one country that is followed by one fifty times as high within a minute: the amounts differ by rule. */
function ruleText(at: number): string {
  const country = `data.country == 'c${Math.floor(at / PER_COUNTRY)}'`
  return `rule: rule-${at}
on: PAYMENTS
key: data.card
sequence:
  - low: { event: payment, where: "${country} && data.amount < ${10 + (at % PER_COUNTRY)}" }
  - high: { event: payment, where: "${country} && data.amount > ${990 - (at % PER_COUNTRY)}" }
within: 1m
emit: { event: found, data: { card: key, amount: high.data.amount } }
`
}

function paymentsOf(countries: number): StoredEvent[] {
  let state = 7
  const random = (most: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * most)
  }
  const cards = Array.from({ length: KEYS }, (_, at) => `card-${at}`)
  return Array.from({ length: EVENTS }, (_, at) => {
    const [card, amount, country] = [cards[random(KEYS)] as string, random(1_000), `c${random(countries)}`]
    return { ...storedEvent('payment', card, 0, at + 1), data: { card, amount, country } }
  })
}

function pass(set: RuleSet, events: readonly StoredEvent[]): number {
  let found = 0
  const rate = passOver(events, (event) => void (found += set.take(event).length))
  if (found === 0 && (set.stats('rule-0')?.events ?? 0) === 0) throw new Error('no rule saw an event')
  return rate
}
