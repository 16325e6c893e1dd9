import { defineCommand } from 'millrace'
import { z } from 'zod'

const id = z.string().min(1).max(64)
const quantity = z.number().int().positive()
const amount = z.number().positive()
const ofOrder = z.object({ orderId: id })
const orderKey = (data: { orderId: string }): string => data.orderId

export const PlaceOrder = defineCommand('order.place', {
  data: ofOrder.extend({
    sku: id,
    quantity,
    amount,
    customerId: id,
    within: z.string().default('30m').describe('How long it may take until the parts are on their way.'),
  }),
  key: orderKey,
})
export const CancelOrder = defineCommand('order.cancel', {
  data: ofOrder.extend({ reason: z.enum(['out-of-stock', 'payment-declined', 'deadline', 'customer']) }),
  key: orderKey,
})
export const ConfirmStock = defineCommand('order.confirm-stock', { data: ofOrder, key: orderKey })
export const ConfirmPayment = defineCommand('order.confirm-payment', {
  data: ofOrder.extend({ receipt: z.string() }),
  key: orderKey,
})
export const ConfirmShipment = defineCommand('order.confirm-shipment', {
  data: ofOrder.extend({ tracking: z.string() }),
  key: orderKey,
})

const ofStock = z.object({ sku: id, orderId: id, quantity })
const stockKey = (data: { sku: string }): string => data.sku

export const AddStock = defineCommand('stock.add', { data: z.object({ sku: id, quantity }), key: stockKey })
export const ReserveStock = defineCommand('stock.reserve', { data: ofStock, key: stockKey })
export const ReleaseStock = defineCommand('stock.release', { data: ofStock, key: stockKey })
export const UseStock = defineCommand('stock.use', { data: ofStock, key: stockKey })

export const TakeCharge = defineCommand('charge.take', {
  data: ofOrder.extend({ amount, customerId: id }),
  key: orderKey,
})
export const SettleCharge = defineCommand('charge.settle', {
  data: ofOrder.extend({ receipt: z.string() }),
  key: orderKey,
})
export const DeclineCharge = defineCommand('charge.decline', {
  data: ofOrder.extend({ reason: z.string() }),
  key: orderKey,
})
export const RefundCharge = defineCommand('charge.refund', { data: ofOrder, key: orderKey })

export const RequestShipment = defineCommand('shipment.request', { data: ofOrder, key: orderKey })
export const DispatchShipment = defineCommand('shipment.dispatch', {
  description: 'From the carrier.',
  data: ofOrder.extend({ tracking: z.string() }),
  key: orderKey,
})
export const CancelShipment = defineCommand('shipment.cancel', { data: ofOrder, key: orderKey })
