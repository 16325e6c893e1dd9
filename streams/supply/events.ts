import { defineEvent } from 'millrace'
import { z } from 'zod'

const id = z.string().min(1).max(64)
const quantity = z.number().int().positive()
const amount = z.number().positive().describe('In euros.')
const ofOrder = z.object({ orderId: id })
const orderKey = (data: { orderId: string }): string => data.orderId

export const OrderPlaced = defineEvent('order.placed', {
  description: 'Somebody ordered a part.',
  data: ofOrder.extend({ sku: id, quantity, amount, customerId: id }),
  key: orderKey,
})
export const OrderReserved = defineEvent('order.reserved', {
  description: 'The parts are set aside for the order.',
  data: ofOrder,
  key: orderKey,
})
export const OrderPaid = defineEvent('order.paid', {
  description: 'The money is there.',
  data: ofOrder.extend({ receipt: z.string() }),
  key: orderKey,
})
export const OrderCompleted = defineEvent('order.completed', {
  description: 'The parts are on their way: nothing is left to do.',
  data: ofOrder.extend({ tracking: z.string() }),
  key: orderKey,
})
export const OrderCancelled = defineEvent('order.cancelled', {
  description: 'It came to nothing; what was done for it is taken back.',
  data: ofOrder.extend({ reason: z.enum(['out-of-stock', 'payment-declined', 'deadline', 'customer']) }),
  key: orderKey,
})

const ofStock = z.object({ sku: id, orderId: id, quantity })
const stockKey = (data: { sku: string }): string => data.sku

export const StockAdded = defineEvent('stock.added', {
  description: 'Parts came in.',
  data: z.object({ sku: id, quantity }),
  key: stockKey,
})
export const StockReserved = defineEvent('stock.reserved', {
  description: 'Parts are set aside for an order.',
  data: ofStock,
  key: stockKey,
})
export const StockShort = defineEvent('stock.short', {
  description: 'There were not enough parts for an order.',
  data: ofStock.extend({ left: z.number().int().nonnegative() }),
  key: stockKey,
})
export const StockReleased = defineEvent('stock.released', {
  description: 'Parts that were set aside are free again.',
  data: ofStock,
  key: stockKey,
})
export const StockUsed = defineEvent('stock.used', {
  description: 'Parts that were set aside have left.',
  data: ofStock,
  key: stockKey,
})

export const ChargeTaken = defineEvent('charge.taken', {
  description: 'The payment of an order succeeded.',
  data: ofOrder.extend({ amount, receipt: z.string() }),
  key: orderKey,
})
export const ChargeBegun = defineEvent('charge.begun', {
  description: 'The payment provider was asked.',
  data: ofOrder.extend({ amount }),
  key: orderKey,
})
export const ChargeDeclined = defineEvent('charge.declined', {
  description: 'The payment of an order failed.',
  data: ofOrder.extend({ reason: z.string() }),
  key: orderKey,
})
export const ChargeRefunded = defineEvent('charge.refunded', {
  description: 'The money went back.',
  data: ofOrder.extend({ amount }),
  key: orderKey,
})

export const ShipmentRequested = defineEvent('shipment.requested', {
  description: 'A carrier was asked to fetch the parts.',
  data: ofOrder,
  key: orderKey,
})
export const ShipmentDispatched = defineEvent('shipment.dispatched', {
  description: 'The carrier has the parts.',
  data: ofOrder.extend({ tracking: z.string() }),
  key: orderKey,
})
export const ShipmentCancelled = defineEvent('shipment.cancelled', {
  description: 'The carrier need not come, or turns back.',
  data: ofOrder,
  key: orderKey,
})
