import { cancelTimer, defineActor, on, reject, send, setTimer } from 'millrace'
import {
  CancelOrder,
  CancelShipment,
  ConfirmPayment,
  ConfirmShipment,
  ConfirmStock,
  PlaceOrder,
  RefundCharge,
  ReleaseStock,
  RequestShipment,
  ReserveStock,
  TakeCharge,
  UseStock,
} from '../commands.js'
import {
  ChargeDeclined,
  ChargeTaken,
  OrderCancelled,
  OrderCompleted,
  OrderPaid,
  OrderPlaced,
  OrderReserved,
  ShipmentDispatched,
  StockReserved,
  StockShort,
} from '../events.js'

interface Facts {
  readonly orderId: string
  readonly sku: string
  readonly quantity: number
  readonly amount: number
  readonly customerId: string
}
type Order =
  | { readonly status: 'none' }
  | ({ readonly status: 'placed' | 'reserved' | 'paid' | 'completed' | 'cancelled' } & Facts)

const SUPPLY = { stream: 'SUPPLY' }

/**
 * The saga of one order: set the parts aside, take the money, have them fetched; all of it before a deadline. It hears by
 * events how each of the others decided, and takes back what was done when it comes to nothing; also what only turns out
 * to have been done when it was cancelled already.
 */
export default defineActor({
  name: 'order',
  version: 1,
  initial: (): Order => ({ status: 'none' }),
  commands: [PlaceOrder, CancelOrder, ConfirmStock, ConfirmPayment, ConfirmShipment],
  events: [OrderPlaced, OrderReserved, OrderPaid, OrderCompleted, OrderCancelled],
  reactions: [
    on(StockReserved, SUPPLY, ({ data: { orderId } }) => ConfirmStock({ orderId })),
    on(StockShort, SUPPLY, ({ data: { orderId } }) => CancelOrder({ orderId, reason: 'out-of-stock' })),
    on(ChargeTaken, SUPPLY, ({ data: { orderId, receipt } }) => ConfirmPayment({ orderId, receipt })),
    on(ChargeDeclined, SUPPLY, ({ data: { orderId } }) => CancelOrder({ orderId, reason: 'payment-declined' })),
    on(ShipmentDispatched, SUPPLY, ({ data: { orderId, tracking } }) => ConfirmShipment({ orderId, tracking })),
  ],
  decide: {
    'order.place': (order, { data: { within, ...facts } }) => {
      const { orderId, sku, quantity } = facts
      if (order.status !== 'none') return reject('already-placed', `the order is ${order.status}`)
      return [
        OrderPlaced(facts),
        send(ReserveStock({ orderId, sku, quantity })),
        setTimer('deadline', within, CancelOrder({ orderId, reason: 'deadline' })),
      ]
    },
    'order.confirm-stock': (order) => {
      if (order.status === 'cancelled') return [send(ReleaseStock(order))]
      return order.status === 'placed' ? [OrderReserved({ orderId: order.orderId }), send(TakeCharge(order))] : []
    },
    'order.confirm-payment': (order, { data }) => {
      if (order.status === 'cancelled') return [send(RefundCharge(data))]
      return order.status === 'reserved' ? [OrderPaid(data), send(RequestShipment(data))] : []
    },
    'order.confirm-shipment': (order, { data }) => {
      if (order.status === 'cancelled') return [send(CancelShipment(data))]
      return order.status === 'paid' ? [OrderCompleted(data), cancelTimer('deadline'), send(UseStock(order))] : []
    },
    'order.cancel': (order, { data: { orderId, reason } }) => {
      switch (order.status) {
        case 'none':
        case 'completed':
          return reject('too-late', `the order is ${order.status}`)
        case 'cancelled':
          return []
        case 'placed':
          return [OrderCancelled({ orderId, reason }), cancelTimer('deadline')]
        case 'reserved':
          return [OrderCancelled({ orderId, reason }), cancelTimer('deadline'), send(ReleaseStock(order))]
        case 'paid':
          return [
            OrderCancelled({ orderId, reason }),
            cancelTimer('deadline'),
            send(CancelShipment({ orderId })),
            send(RefundCharge({ orderId })),
            send(ReleaseStock(order)),
          ]
      }
    },
  },
  evolve: {
    'order.placed': (_, { data }) => ({ status: 'placed', ...data }),
    'order.reserved': (order) => moved(order, 'reserved'),
    'order.paid': (order) => moved(order, 'paid'),
    'order.completed': (order) => moved(order, 'completed'),
    'order.cancelled': (order) => moved(order, 'cancelled'),
  },
})

function moved(order: Order, status: 'reserved' | 'paid' | 'completed' | 'cancelled'): Order {
  return order.status === 'none' ? order : { ...order, status }
}
