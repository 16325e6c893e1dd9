// Two actors that tests share: a bank account, small and quick, and an order that has everything an actor can have.
import { z } from 'zod'
import { actorStep } from '../../src/actor/actor-step.ts'
import { cancelTimer, close, reject, send, setTimer, step } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { on } from '../../src/actor/reaction.ts'
import { defineEvent } from '../../src/event/contract.ts'

const ofAccount = z.object({ accountId: z.string(), amount: z.int().positive() })
const accountId = (data: { accountId: string }): string => data.accountId

export const Deposit = defineCommand('account.deposit', { data: ofAccount, key: accountId })
export const Withdraw = defineCommand('account.withdraw', { data: ofAccount, key: accountId })
/** Makes `count` events in one decision. */
export const DepositMany = defineCommand('account.deposit-many', {
  data: z.object({ accountId: z.string(), count: z.int().nonnegative(), amount: z.int().positive() }),
  key: accountId,
})
export const CloseAccount = defineCommand('account.close', {
  data: z.object({ accountId: z.string() }),
  key: accountId,
})
export const Deposited = defineEvent('account.deposited', { data: ofAccount, key: accountId })
export const Withdrawn = defineEvent('account.withdrawn', { data: ofAccount, key: accountId })
export const AccountClosed = defineEvent('account.closed', {
  data: z.object({ accountId: z.string() }),
  key: accountId,
})

export const account = defineActor({
  name: 'account',
  version: 1,
  state: z.object({ balance: z.int(), entries: z.int() }),
  initial: () => ({ balance: 0, entries: 0 }),
  commands: [Deposit, Withdraw, DepositMany, CloseAccount],
  events: [Deposited, Withdrawn, AccountClosed],
  decide: {
    'account.deposit': (_, { data }) => [Deposited(data)],
    'account.withdraw': (state, { data }) =>
      data.amount > state.balance
        ? reject('insufficient-funds', `there is ${state.balance}`, { balance: state.balance })
        : [Withdrawn(data)],
    'account.deposit-many': (_, { data: { count, ...one } }) => Array.from({ length: count }, () => Deposited(one)),
    'account.close': (state, { data }) =>
      state.balance > 0 ? reject('not-empty', `there is ${state.balance}`) : [AccountClosed(data), close()],
  },
  evolve: {
    'account.deposited': (state, { data }) => ({ balance: state.balance + data.amount, entries: state.entries + 1 }),
    'account.withdrawn': (state, { data }) => ({ balance: state.balance - data.amount, entries: state.entries + 1 }),
    'account.closed': (state) => state,
  },
  invariants: { 'never negative': (state) => state.balance >= 0 },
})

const ofOrder = z.object({ orderId: z.string() })
const orderId = (data: { orderId: string }): string => data.orderId

export const PlaceOrder = defineCommand('order.place', {
  data: ofOrder.extend({ total: z.int().positive() }),
  key: orderId,
})
export const ConfirmPayment = defineCommand('order.confirm-payment', {
  data: ofOrder.extend({ receipt: z.string() }),
  key: orderId,
})
export const CancelOrder = defineCommand('order.cancel', { data: ofOrder.extend({ reason: z.string() }), key: orderId })
export const ShipOrder = defineCommand('order.ship', { data: ofOrder, key: orderId })
export const OrderPlaced = defineEvent('order.placed', { data: ofOrder.extend({ total: z.int() }), key: orderId })
export const OrderPaid = defineEvent('order.paid', { data: ofOrder.extend({ receipt: z.string() }), key: orderId })
export const OrderCancelled = defineEvent('order.cancelled', {
  data: ofOrder.extend({ reason: z.string() }),
  key: orderId,
})
export const OrderShipped = defineEvent('order.shipped', { data: ofOrder, key: orderId })
/** An event of another stream, SHIPMENTS. */
export const ParcelHandedOver = defineEvent('parcel.handed-over', {
  data: z.object({ parcel: z.string(), orderId: z.string() }),
  key: (data) => data.parcel,
})
/** A command of another actor. */
export const BookParcel = defineCommand('parcel.book', {
  data: z.object({ parcel: z.string(), orderId: z.string() }),
  key: (data) => data.parcel,
})

export type OrderState =
  | { readonly status: 'none' }
  | { readonly status: 'placed'; readonly total: number }
  | { readonly status: 'paid'; readonly total: number; readonly receipt: string }
  | { readonly status: 'cancelled' }
  | { readonly status: 'shipped' }

/** A saga: it charges in a step, cancels at its deadline or when the charge fails, and books a parcel once it is paid. */
export const order = defineActor({
  name: 'order',
  version: 1,
  initial: (): OrderState => ({ status: 'none' }),
  commands: [PlaceOrder, ConfirmPayment, CancelOrder, ShipOrder],
  events: [OrderPlaced, OrderPaid, OrderCancelled, OrderShipped],
  steps: {
    charge: actorStep({
      run: async (input: { total: number }, { idempotencyKey }) => ({ receipt: `${idempotencyKey}/${input.total}` }),
      done: ({ receipt }, _, id) => ConfirmPayment({ orderId: id, receipt }),
      failed: ({ message }, _, id) => CancelOrder({ orderId: id, reason: message }),
      timeout: '10s',
      attempts: 3,
    }),
  },
  decide: {
    'order.place': (state, { data }) =>
      state.status !== 'none'
        ? reject('already-placed', `it is ${state.status}`)
        : [
            OrderPlaced(data),
            setTimer('deadline', '30m', CancelOrder({ orderId: data.orderId, reason: 'not paid in time' })),
            step('charge', { total: data.total }),
          ],
    'order.confirm-payment': (state, { data }, context) =>
      state.status !== 'placed'
        ? reject('not-placed', `it is ${state.status}`)
        : [
            OrderPaid(data),
            cancelTimer('deadline'),
            send(BookParcel({ parcel: context.uuid(), orderId: data.orderId })),
          ],
    'order.cancel': (state, { data }) =>
      state.status === 'placed' ? [OrderCancelled(data), cancelTimer('deadline')] : [],
    'order.ship': (state, { data }) =>
      state.status === 'paid' ? [OrderShipped(data), close()] : reject('not-paid', `it is ${state.status}`),
  },
  evolve: {
    'order.placed': (_, { data }) => ({ status: 'placed', total: data.total }),
    'order.paid': (state, { data }) => ({
      status: 'paid',
      total: state.status === 'placed' ? state.total : 0,
      receipt: data.receipt,
    }),
    'order.cancelled': () => ({ status: 'cancelled' }),
    'order.shipped': () => ({ status: 'shipped' }),
  },
  reactions: [on(ParcelHandedOver, { stream: 'SHIPMENTS' }, ({ data }) => ShipOrder({ orderId: data.orderId }))],
})
