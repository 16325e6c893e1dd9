import { actorStep, defineActor, reject, step } from 'millrace'
import { DeclineCharge, RefundCharge, SettleCharge, TakeCharge } from '../commands.js'
import { ChargeBegun, ChargeDeclined, ChargeRefunded, ChargeTaken } from '../events.js'

type Charge =
  | { readonly status: 'none' }
  | { readonly status: 'asked' | 'taken' | 'refunded'; readonly amount: number }
  | { readonly status: 'declined' }

/** In euros; stands for what a payment provider refuses. */
const LIMIT = 5_000

/** The payment of one order. Asking the provider is a step: it takes time, and its answer is stored before it counts. */
export default defineActor({
  name: 'charge',
  version: 1,
  initial: (): Charge => ({ status: 'none' }),
  commands: [TakeCharge, SettleCharge, DeclineCharge, RefundCharge],
  events: [ChargeBegun, ChargeTaken, ChargeDeclined, ChargeRefunded],
  steps: {
    provider: actorStep({
      // a provider of your own gets the idempotency key, so that a second attempt does not charge twice
      run: async (input: { amount: number }, { idempotencyKey }) =>
        input.amount > LIMIT ? { declined: 'over the limit' } : { receipt: idempotencyKey },
      done: (answer: { receipt?: string; declined?: string }, _, orderId) =>
        answer.receipt === undefined
          ? DeclineCharge({ orderId, reason: answer.declined ?? 'unknown' })
          : SettleCharge({ orderId, receipt: answer.receipt }),
      failed: ({ message }, _, orderId) => DeclineCharge({ orderId, reason: message }),
      timeout: '10s',
      attempts: 3,
    }),
  },
  decide: {
    'charge.take': (charge, { data: { orderId, amount } }) =>
      charge.status === 'none' ? [ChargeBegun({ orderId, amount }), step('provider', { amount })] : [],
    'charge.settle': (charge, { data }) =>
      charge.status === 'asked' ? [ChargeTaken({ ...data, amount: charge.amount })] : [],
    'charge.decline': (charge, { data }) => (charge.status === 'asked' ? [ChargeDeclined(data)] : []),
    'charge.refund': (charge, { data }) =>
      charge.status === 'taken'
        ? [ChargeRefunded({ ...data, amount: charge.amount })]
        : reject('nothing-taken', `the charge is ${charge.status}`),
  },
  evolve: {
    'charge.begun': (_, { data }) => ({ status: 'asked', amount: data.amount }),
    'charge.taken': (_, { data }) => ({ status: 'taken', amount: data.amount }),
    'charge.declined': () => ({ status: 'declined' }),
    'charge.refunded': (_, { data }) => ({ status: 'refunded', amount: data.amount }),
  },
})
