/** A right rule of each kind, for tests that break them. */
export const SAMPLES = {
  sequence: `rule: card-testing
on: PAYMENTS
key: data.cardId
sequence:
  - probe: { event: payment.authorized, where: data.amount < 2, times: 3.. }
  - not: { event: card.verified }
  - hit: { event: payment.authorized, where: data.amount > 50 * avg(probe.data.amount) }
within: 10m
skip: past-last
emit: { event: fraud.suspected, severity: high, data: { cardId: key, amount: hit.data.amount } }
`,
  everything: `rule: groups
description: >-
  Everything that a sequence can have.
enabled: false
on: PAYMENTS
key: data.cardId
sequence:
  - start:
      event: [payment.authorized, card.verified]
      where: |
        type == 'payment.authorized' &&
          data.amount > 1
  - low: { event: payment.authorized, where: data.amount < 5, optional: true, withinPrev: 5m }
  - high: { event: payment.authorized, where: 'data.amount > 5 && data.channel == "online"', timesWindow: 2m, times: 2.. }
  - not: { event: card.verified, strict: true }
  - tail: { event: payment.authorized, contiguity: any, times: 2.., greedy: false, until: { event: card.verified, where: count(tail) > 3 } }
events: [fraud.suspected]
within: 1h30m
lateness: 5s
orderBy: time
idle: 20s
holdback: true
skip: { to-last: tail, throwOnMiss: false }
bounds: { partialMatchesPerKey: 50, keys: { most: 1000, then: drop-newest } }
suppress: { for: 10m, by: [data.cardId, last(high).data.amount], max: 2 }
emit:
  event: fraud.suspected
  to: ALERTS
  key: key + '!'
  data:
    cardId: key
    count: count(tail) + count(high)
    since: start.time
    amount: 'count(tail) > 2 ? sum(tail.data.amount) : 0.5'
onTimeout: { event: fraud.suspected, to: ALERTS, severity: low, data: { cardId: key } }
tests:
  - name: nothing
    given:
      - payment.authorized: { cardId: c1, amount: 1 }
      - { event: card.verified, at: +3s, data: { cardId: c1 } }
    until: +1d
    expect: none
`,
  groups: `rule: rounds
on: PAYMENTS
key: data.cardId
sequence:
  - start: { event: card.verified }
  - group:
      times: 2..3
      inner: any
      withinPrev: 5m
      stages:
        - low: { event: payment.authorized, where: data.amount < 5 }
        - high: { event: payment.authorized, where: data.amount > 5 && data.amount > last(low).data.amount, contiguity: strict }
within: 1h
skip: past-last
emit: { event: fraud.suspected, data: { cardId: key, count: count(high), amount: sum(high.data.amount) } }
tests:
  - name: low and high, twice
    given:
      - card.verified: { cardId: c }
      - +1m payment.authorized: { cardId: c, amount: 1 }
      - +2m payment.authorized: { cardId: c, amount: 10 }
      - +3m payment.authorized: { cardId: c, amount: 2 }
      - +4m payment.authorized: { cardId: c, amount: 20 }
    expect: { count: 2, amount: 30 }
`,
  pattern: `rule: silence
on: ORDERS
key: data.order
pattern:
  every:
    seq:
      - placed: { event: order.placed, where: data.total > 1 }
      - and:
          - interval: 30m
          - not: { event: order.paid, where: data.amount >= placed.data.total }
within: 1h
forget: 1d
emit: { event: order.unpaid, data: { order: key, since: placed.time } }
tests:
  - name: paid too little, and then nothing
    given: [{ order.placed: { order: a, total: 5 } }, { +10m order.paid: { order: a, amount: 4 } }]
    until: +2h
    expect: { event: order.unpaid, at: +30m, data: { order: a, since: +0s } }
  - name: paid
    given: [{ order.placed: { order: a, total: 5 } }, { +10m order.paid: { order: a, amount: 5 } }]
    until: +2h
    expect: none
`,
  every: `rule: repeated
on: PAYMENTS
key: data.cardId
every:
  or:
    - repeat: { of: { small: { event: payment.authorized, where: data.amount < 2 } }, times: 3 }
    - until: { of: { more: { event: payment.authorized } }, end: { event: card.verified }, min: 2, max: 5 }
    - within: { of: { seq: [{ one: { event: card.verified } }, { two: { event: card.verified } }] }, for: 10s }
within: 10m
forget: 1h
emit: { event: fraud.suspected, data: { cardId: key, count: count(small) + count(more) } }
`,
  detect: `rule: hot
on: MACHINES
key: data.machine
detect:
  event: metric.recorded
  where: data.machine != 'test'
  value: data.value
  detector: { threshold: { above: 90, clearAbove: 80 } }
  decision: { side: above, coolDown: 1m }
  forget: 2h
bounds: { keys: 500 }
emit:
  event: machine.alarmed
  severity: high
  data: { machine: event.data.machine, value: 'value == null ? 0.0 : value', score: score }
tests:
  - name: once over the limit
    given:
      - metric.recorded: { machine: m, value: 50 }
      - +10s metric.recorded: { machine: m, value: 95 }
      - +20s metric.recorded: { machine: m, value: 96 }
    expect: { event: machine.alarmed, at: +10s, data: { machine: m, value: 95 } }
`,
  heartbeat: `rule: silent
on: MACHINES
key: data.machine
detect: { event: metric.recorded, detector: { heartbeat: { every: 1m } } }
emit: { event: machine.alarmed, data: { machine: key } }
tests:
  - name: nothing for a while
    given: [{ metric.recorded: { machine: m, value: 1 } }]
    until: +10m
    expect: { machine: m }
`,
  aggregate: `rule: spending
on: PAYMENTS
key: data.cardId
aggregate:
  event: payment.authorized
  where: data.amount > 1
  window: { sliding: 10m, step: 1m }
  values:
    total: sum(data.amount)
    payments: count()
    highest: max(data.amount)
    p99: quantile(data.amount, 0.99)
    channels: topK(data.channel, 2)
    spread: stddev(data.amount)
  having: total > 100 && payments >= 2
  early: { events: 100, every: 30s }
  allowedLateness: 1m
suppress: 10m
emit: { event: fraud.suspected, data: { cardId: key, amount: total, count: payments, since: window.start } }
tests:
  - name: two large ones
    given:
      - payment.authorized: { cardId: c, amount: 60 }
      - +30s payment.authorized: { cardId: c, amount: 60 }
    until: +2m
    expect: { event: fraud.suspected, at: +1m, data: { amount: 120, count: 2, since: -9m } }
`,
  session: `rule: sessions
on: PAYMENTS
key: data.cardId
aggregate:
  event: [payment.authorized, card.verified]
  window: { session: 30s }
  values: { events: count(), first: first(type) }
emit: { event: fraud.suspected, data: { cardId: key, count: events } }
`,
  correlate: `rule: unpaid
on: ORDERS
correlate:
  sides:
    order: { event: order.placed, key: data.order }
    payment: { event: order.paid, key: data.order, times: 1..3, where: count(order) == 0 || data.amount >= order.data.total, starts: false }
  outcomes: [missing, partial]
  completes: soonest
  duplicates: first
  having: outcome == 'missing' && 'payment' in missing
within: 1h
emit: { event: order.unpaid, data: { order: key, since: order.time } }
tests:
  - name: paid
    given: [{ order.placed: { order: a, total: 5 } }, { +10m order.paid: { order: a, amount: 5 } }]
    until: +3h
    expect: none
  - name: paid too little
    given: [{ order.placed: { order: a, total: 5 } }, { +10m order.paid: { order: a, amount: 4 } }]
    until: +3h
    expect: { event: order.unpaid, at: +1h, data: { order: a, since: +0s } }
`,
  join: `rule: matched
on: ORDERS
key: data.order
correlate:
  sides:
    placed: { event: order.placed, where: data.total > 1 }
    paid: { event: order.paid }
  gap: { from: -5s, to: 10m }
  on: paid.data.amount == placed.data.total
  outer: placed
emit: { event: order.unpaid, data: { order: key, since: 'outcome == "missing" ? 1 : gap' } }
`,
} as const
