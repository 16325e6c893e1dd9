import { defineActor } from 'millrace'
import { AddStock, ReleaseStock, ReserveStock } from '../commands.js'
import { StockAdded, StockReleased, StockReserved, StockShort } from '../events.js'

/** The articles of one kind. That there are too few is an event: an order that waits for an event hears of it. */
export default defineActor({
  name: 'stock',
  version: 1,
  initial: () => ({ free: 0 }),
  commands: [AddStock, ReserveStock, ReleaseStock],
  events: [StockAdded, StockReserved, StockShort, StockReleased],
  decide: {
    'stock.add': (_, { data }) => [StockAdded(data)],
    'stock.reserve': ({ free }, { data }) => [data.quantity > free ? StockShort(data) : StockReserved(data)],
    'stock.release': (_, { data }) => [StockReleased(data)],
  },
  evolve: {
    'stock.added': ({ free }, { data }) => ({ free: free + data.quantity }),
    'stock.reserved': ({ free }, { data }) => ({ free: free - data.quantity }),
    'stock.short': (stock) => stock,
    'stock.released': ({ free }, { data }) => ({ free: free + data.quantity }),
  },
  invariants: { 'never less than nothing': ({ free }) => free >= 0 },
})
