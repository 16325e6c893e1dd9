import { cancelTimer, defineActor, on, reject, send, setTimer } from 'millrace'
import { CancelOrder, ConfirmStock, PayOrder, PlaceOrder, ReleaseStock, ReserveStock } from '../commands.js'
import { OrderCancelled, OrderPaid, OrderPlaced, OrderReserved, StockReserved, StockShort } from '../events.js'

interface Articles {
  readonly orderId: string
  readonly sku: string
  readonly quantity: number
}
type Order =
  | { readonly status: 'none' }
  | { readonly status: 'placed' | 'reserved' | 'paid' | 'cancelled'; readonly articles: Articles }

/** The saga: reserve, then wait for the money until the deadline; what was reserved for nothing is given back. */
export default defineActor({
  name: 'order',
  version: 1,
  initial: (): Order => ({ status: 'none' }),
  commands: [PlaceOrder, ConfirmStock, PayOrder, CancelOrder],
  events: [OrderPlaced, OrderReserved, OrderPaid, OrderCancelled],
  reactions: [
    on(StockReserved, { stream: 'SHOP' }, ({ data: { orderId } }) => ConfirmStock({ orderId })),
    on(StockShort, { stream: 'SHOP' }, ({ data: { orderId } }) => CancelOrder({ orderId, reason: 'out of stock' })),
  ],
  decide: {
    'order.place': ({ status }, { data: { within, ...articles } }) =>
      status !== 'none'
        ? reject('already-placed', `the order is ${status}`)
        : [
            OrderPlaced(articles),
            send(ReserveStock(articles)),
            setTimer('deadline', within, CancelOrder({ orderId: articles.orderId, reason: 'not paid in time' })),
          ],
    'order.confirm-stock': (order) => {
      // the deadline was earlier
      if (order.status === 'cancelled') return [send(ReleaseStock(order.articles))]
      return order.status === 'placed' ? [OrderReserved(order.articles)] : []
    },
    'order.pay': (order) =>
      order.status === 'reserved'
        ? [OrderPaid(order.articles), cancelTimer('deadline')]
        : reject('not-payable', `the order is ${order.status}`),
    'order.cancel': (order, { data: { reason } }) => {
      if (order.status !== 'placed' && order.status !== 'reserved') return []
      const cancelled = [OrderCancelled({ ...order.articles, reason }), cancelTimer('deadline')]
      return order.status === 'reserved' ? [...cancelled, send(ReleaseStock(order.articles))] : cancelled
    },
  },
  evolve: {
    'order.placed': (_, { data }) => ({ status: 'placed', articles: data }),
    'order.reserved': (_, { data }) => ({ status: 'reserved', articles: data }),
    'order.paid': (_, { data }) => ({ status: 'paid', articles: data }),
    'order.cancelled': (_, { data: { reason: _reason, ...articles } }) => ({ status: 'cancelled', articles }),
  },
})
