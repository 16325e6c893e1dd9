import { defineCommand } from 'millrace'
import { z } from 'zod'

const ofOrder = z.object({ orderId: z.string().min(1), sku: z.string().min(1), quantity: z.number().int().positive() })
const id = ofOrder.pick({ orderId: true })
const orderId = (data: { orderId: string }): string => data.orderId
const sku = (data: { sku: string }): string => data.sku

export const PlaceOrder = defineCommand('order.place', { data: ofOrder.extend({ within: z.string() }), key: orderId })
export const ConfirmStock = defineCommand('order.confirm-stock', { data: id, key: orderId })
export const PayOrder = defineCommand('order.pay', { data: id, key: orderId })
export const CancelOrder = defineCommand('order.cancel', { data: id.extend({ reason: z.string() }), key: orderId })

export const AddStock = defineCommand('stock.add', { data: ofOrder.omit({ orderId: true }), key: sku })
export const ReserveStock = defineCommand('stock.reserve', { data: ofOrder, key: sku })
export const ReleaseStock = defineCommand('stock.release', { data: ofOrder, key: sku })
