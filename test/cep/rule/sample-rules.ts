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
} as const
