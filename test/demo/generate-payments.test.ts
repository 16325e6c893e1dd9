import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { distanceKm } from '../../demo/generate-places.ts'
import { generatePayments, type GenerateOptions } from '../../demo/generate-payments.ts'
import type { GeneratedEvent, Label } from '../../demo/generate-plan.ts'

const test = suite('generate payments')

const SMALL = { seed: 7, count: 20_000 }
const small = generatePayments(SMALL)
const events = [...small.events]
const byId = new Map(events.map((event) => [event.id, event]))

function digest(options: GenerateOptions): string {
  const hash = createHash('sha256')
  const { events, labels, broken } = generatePayments(options)
  for (const event of events) hash.update(`${JSON.stringify(event)}\n`)
  return hash.update(JSON.stringify([labels, broken])).digest('hex')
}

function eventsOf(label: Label): GeneratedEvent[] {
  return label.eventIds.map((id) => byId.get(id) as GeneratedEvent)
}

function amountOf(event: GeneratedEvent | undefined): number {
  return Number(event?.data['amount'])
}

test('the same seed makes the same bytes, another seed does not', () => {
  const first = digest({ seed: 7, count: 3_000 })
  assert.is(digest({ seed: 7, count: 3_000 }), first)
  assert.is.not(digest({ seed: 8, count: 3_000 }), first)
})

test('the events may be read twice and are the same again', () => {
  const again = [...small.events]
  assert.equal(again.at(-1), events.at(-1))
  assert.equal(
    again.map(({ id }) => id),
    events.map(({ id }) => id),
  )
})

test('makes as many events as asked, each with an id of its own, time never going back', () => {
  assert.is(events.length, SMALL.count)
  assert.is(byId.size, SMALL.count)
  for (const [at, event] of events.entries())
    assert.ok(at === 0 || event.time >= (events[at - 1]?.time ?? ''), event.id)
})

test('labels each kind of fraud at its rate, with the card, the ids and the times of its events', () => {
  const counts: Record<string, number> = {}
  for (const label of small.labels) {
    counts[label.kind] = (counts[label.kind] ?? 0) + 1
    const times = eventsOf(label).map(({ time }) => Date.parse(time))
    assert.is(label.from, Math.min(...times))
    assert.is(label.to, Math.max(...times))
    for (const event of eventsOf(label)) assert.is(event.partitionkey, label.cardId)
  }
  assert.equal(counts, { 'card-testing': 8, velocity: 8, 'impossible-travel': 8, 'refund-abuse': 6 })
})

test('a labelled fraud is what its kind says', () => {
  for (const label of small.labels) {
    const fraud = eventsOf(label)
    const refunds = fraud.filter(({ type }) => type === 'payment.refunded')
    if (label.kind === 'card-testing') {
      const probes = fraud.slice(0, -1).map(amountOf)
      assert.ok(probes.length >= 3 && probes.every((amount) => amount < 2))
      assert.ok(amountOf(fraud.at(-1)) > (50 * probes.reduce((sum, amount) => sum + amount)) / probes.length)
    } else if (label.kind === 'velocity') assert.ok(fraud.length >= 8)
    else if (label.kind === 'refund-abuse') assert.ok(refunds.length >= 3 && refunds.length * 2 === fraud.length)
    else {
      const [from, to] = fraud.map(({ data }) => data as never)
      const hours = (Date.parse(fraud[1]?.time ?? '') - label.from) / 3_600_000
      assert.ok(distanceKm(from as never, to as never) / hours > 600, 'faster than the holder')
    }
  }
})

test('an event carries no hint of its label: the same fields, whoever made it', () => {
  const marked = new Set(small.labels.flatMap(({ eventIds }) => eventIds))
  const broken = new Set(small.broken.map(({ id }) => id))
  const shapes = (of: (event: GeneratedEvent) => boolean): string[] =>
    [
      ...new Set(
        events
          .filter((event) => !broken.has(event.id) && event.type !== 'card.verified' && of(event))
          .map((event) => JSON.stringify([event.type, event.source, Object.keys(event), Object.keys(event.data)])),
      ),
    ].sort()
  assert.equal(
    shapes(({ id }) => marked.has(id)),
    shapes(({ id }) => !marked.has(id)),
  )
})

test('breaks as many events as it says, and says why', () => {
  assert.is(small.broken.length, 20)
  assert.is(generatePayments({ count: 30_000 }).broken.length, 25)
  for (const { id } of small.broken) assert.ok(byId.has(id), id)
  assert.is(new Set(small.broken.map(({ code }) => code)).size, 3)
})

test('payments look like payments: amounts, hours and refunds within reason', () => {
  const payments = events.filter(({ type }) => type === 'payment.authorized')
  const amounts = payments.map(amountOf).sort((a, b) => a - b)
  const median = amounts[amounts.length >> 1] ?? 0
  const mean = amounts.reduce((sum, amount) => sum + (amount > 0 ? amount : 0), 0) / amounts.length
  assert.ok(median > 12 && median < 40, `median ${median}`)
  assert.ok(mean > 1.5 * median, `mean ${mean}: a long tail`)
  const at = (hour: number): number => payments.filter(({ time }) => Number(time.slice(11, 13)) === hour).length
  assert.ok(at(18) > 10 * at(3), 'more in the evening than at night')
  const refunds = events.filter(({ type }) => type === 'payment.refunded').length
  assert.ok(refunds > 0.005 * events.length && refunds < 0.03 * events.length, `${refunds} refunds`)
})

test('a refund follows the payment it gives back and is never more than that', () => {
  const paid = new Map<unknown, GeneratedEvent>()
  for (const event of events) {
    if (event.type === 'payment.authorized') paid.set(event.data['paymentId'], event)
    if (event.type !== 'payment.refunded') continue
    const payment = paid.get(event.data['paymentId'])
    assert.ok(payment !== undefined && amountOf(event) <= amountOf(payment), event.id)
    assert.is(event.data['cardId'], payment?.data['cardId'])
  }
})

test('refuses counts it cannot serve', () => {
  for (const options of [{ count: 10 }, { count: 1.5e3 + 0.5 }, { days: 1 }, { count: 1_000, broken: 1_001 }])
    assert.throws(() => generatePayments(options), RangeError, JSON.stringify(options))
})

test.run()
