import { defineEvent } from 'millrace'
import { z } from 'zod'

const ofOrder = z.object({ orderId: z.string().min(1), sku: z.string().min(1), quantity: z.number().int().positive() })
const orderId = (data: { orderId: string }): string => data.orderId
const sku = (data: { sku: string }): string => data.sku

export const OrderPlaced = defineEvent('order.placed', { data: ofOrder, key: orderId })
export const OrderReserved = defineEvent('order.reserved', { data: ofOrder, key: orderId })
export const OrderPaid = defineEvent('order.paid', { data: ofOrder, key: orderId })
export const OrderCancelled = defineEvent('order.cancelled', {
  data: ofOrder.extend({ reason: z.string() }),
  key: orderId,
})

export const StockAdded = defineEvent('stock.added', { data: ofOrder.omit({ orderId: true }), key: sku })
export const StockReserved = defineEvent('stock.reserved', { data: ofOrder, key: sku })
export const StockShort = defineEvent('stock.short', { data: ofOrder, key: sku })
export const StockReleased = defineEvent('stock.released', { data: ofOrder, key: sku })
