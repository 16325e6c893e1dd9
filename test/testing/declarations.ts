// What the tests of the test kit test.
import { bufferTime, catchError, concatMap, debounceTime, filter, map, of, scan } from 'rxjs'
import { z } from 'zod'
import { defineEvent } from '../../src/event/contract.ts'
import { defineKeyed } from '../../src/pipeline/define-keyed.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'

export const Paid = defineEvent('payment.made', {
  data: z.object({ card: z.string(), amount: z.number() }),
  key: (data) => data.card,
})
export const Hasty = defineEvent('payment.hasty', {
  data: z.object({ card: z.string(), count: z.number() }),
  key: (data) => data.card,
})
export const Scored = defineEvent('payment.scored', {
  data: z.object({ card: z.string(), score: z.number().nullable() }),
  key: (data) => data.card,
})
export const Refunded = defineEvent('payment.refunded', {
  data: z.object({ card: z.string() }),
  key: (data) => data.card,
})

const from = { stream: 'PAYMENTS', events: [Paid] } as const

export const hasty = definePipeline({
  name: 'hasty',
  version: 1,
  from,
  to: { stream: 'PAYMENTS', events: [Hasty] },
  keyBy: ({ data }) => data.card,
  recovery: { mode: 'slots', idle: '5m' },
  pipeline: (payments$, { key }) =>
    payments$.pipe(
      bufferTime(60_000),
      filter((batch) => batch.length > 1),
      map((batch) => Hasty({ card: key, count: batch.length })),
    ),
})

export const large = definePipeline({
  name: 'large',
  version: 1,
  from,
  to: { stream: 'FRAUD', events: [Hasty] },
  recovery: { mode: 'stateless' },
  pipeline: (payments$) =>
    payments$.pipe(
      filter(({ data }) => data.amount >= 100),
      map(({ data }) => {
        if (data.amount === 666) throw new Error('not this one')
        return Hasty({ card: data.card, count: data.amount })
      }),
    ),
})

export const scored = definePipeline({
  name: 'scored',
  version: 1,
  from,
  to: { stream: 'PAYMENTS', events: [Scored] },
  keyBy: ({ data }) => data.card,
  recovery: { mode: 'slots', idle: '10m' },
  pipeline: (payments$, ctx) =>
    payments$.pipe(
      concatMap(({ data }) =>
        ctx
          .step('score', async () => data.amount / 100)
          .pipe(
            map((score) => Scored({ card: data.card, score })),
            catchError(() => of(Scored({ card: data.card, score: null }))),
          ),
      ),
      debounceTime(1_000),
    ),
})

export const sums = defineKeyed({
  name: 'sums',
  version: 1,
  from,
  to: { stream: 'PAYMENTS', events: [Hasty] },
  init: () => ({ sum: 0 }),
  onEvent(c, { data }) {
    c.state.sum += data.amount
    c.timer('close', c.now + 10_000)
  },
  onTimer(c) {
    c.emit(Hasty({ card: c.key, count: c.state.sum }))
    c.clear()
  },
})

/** Two inputs and two outputs. */
export const joined = definePipeline({
  name: 'joined',
  version: 1,
  from: [
    { stream: 'PAYMENTS', events: [Paid] },
    { stream: 'REFUNDS', events: [Refunded] },
  ],
  to: [
    { stream: 'PAYMENTS', events: [Hasty] },
    { stream: 'FRAUD', events: [Scored] },
  ],
  keyBy: ({ data }) => data.card,
  pipeline: (events$, { key }) =>
    events$.pipe(
      scan((count) => count + 1, 0),
      map((count) => (count % 2 === 0 ? Hasty({ card: key, count }) : Scored({ card: key, score: count }))),
    ),
})

export const RULE = `rule: testing
on: PAYMENTS
key: data.card
sequence:
  - probe: { event: payment.made, where: data.amount < 2, times: 2 }
  - hit: { event: payment.made, where: data.amount > 100 }
within: 10m
skip: past-last
emit: { event: payment.hasty, data: { card: key, count: count(probe) } }
`

export const pay = (card: string, amount = 10) => Paid({ card, amount })
