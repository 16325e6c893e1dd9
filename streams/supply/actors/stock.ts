import { defineActor } from 'millrace'
import { AddStock, ReleaseStock, ReserveStock, UseStock } from '../commands.js'
import { StockAdded, StockReleased, StockReserved, StockShort, StockUsed } from '../events.js'

interface Stock {
  readonly free: number
  /** By order: how many are set aside for it. */
  readonly reserved: Readonly<Record<string, number>>
}

/** The parts of one kind. That there are too few is an event: whoever asked by an event hears of it by one. */
export default defineActor({
  name: 'stock',
  version: 1,
  initial: (): Stock => ({ free: 0, reserved: {} }),
  commands: [AddStock, ReserveStock, ReleaseStock, UseStock],
  events: [StockAdded, StockReserved, StockShort, StockReleased, StockUsed],
  decide: {
    'stock.add': (_, { data }) => [StockAdded(data)],
    'stock.reserve': ({ free, reserved }, { data }) => {
      if (data.orderId in reserved) return []
      return [data.quantity > free ? StockShort({ ...data, left: free }) : StockReserved(data)]
    },
    'stock.release': ({ reserved }, { data }) => {
      const quantity = reserved[data.orderId]
      return quantity === undefined ? [] : [StockReleased({ ...data, quantity })]
    },
    'stock.use': ({ reserved }, { data }) => {
      const quantity = reserved[data.orderId]
      return quantity === undefined ? [] : [StockUsed({ ...data, quantity })]
    },
  },
  evolve: {
    'stock.added': (stock, { data }) => ({ ...stock, free: stock.free + data.quantity }),
    'stock.reserved': ({ free, reserved }, { data }) => ({
      free: free - data.quantity,
      reserved: { ...reserved, [data.orderId]: data.quantity },
    }),
    'stock.short': (stock) => stock,
    'stock.released': ({ free, reserved }, { data }) => ({
      free: free + data.quantity,
      reserved: without(reserved, data.orderId),
    }),
    'stock.used': ({ free, reserved }, { data }) => ({ free, reserved: without(reserved, data.orderId) }),
  },
  invariants: { 'never more than there is': ({ free }) => free >= 0 },
})

function without(reserved: Stock['reserved'], orderId: string): Stock['reserved'] {
  const { [orderId]: _, ...others } = reserved
  return others
}
