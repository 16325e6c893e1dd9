// Talks to the saga that `millrace dev` runs in this folder: node --import millrace/typescript try.ts ADDRESS
import { connectActors } from 'millrace'
import order from './streams/shop/actors/order.js'
import stock from './streams/shop/actors/stock.js'
import { AddStock, PayOrder, PlaceOrder } from './streams/shop/commands.js'
import SHOP from './streams/shop/stream.js'

const [server = 'nats://127.0.0.1:4222'] = process.argv.slice(2)
const actors = await connectActors({ server, contexts: [{ stream: SHOP, actors: [order, stock] }] })
const orders = actors.actor(order)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const place = async (orderId: string, quantity: number, within = '1m'): Promise<void> => {
  const outcome = await orders.request(PlaceOrder({ orderId, sku: 'lamp', quantity, within }))
  console.log(`${orderId}: ${outcome.kind}`)
}
/** Pays when the articles are reserved: the order is placed before, and hears of them by an event. */
const pay = async (orderId: string): Promise<void> => {
  for (;;) {
    const outcome = await orders.request(PayOrder({ orderId }))
    if (outcome.kind === 'accepted') return console.log(`${orderId}: paid`)
    const why = outcome.kind === 'rejected' ? outcome.message : outcome.detail
    if (why !== 'the order is placed') return console.log(`${orderId}: ${why}`)
    await sleep(20)
  }
}

await actors.actor(stock).request(AddStock({ sku: 'lamp', quantity: 5 }))
await place('quick', 2)
await pay('quick')
await place('forgotten', 3, '500ms')
await sleep(2_500)
await pay('forgotten') // at its deadline the three were given back, and so there are enough for the next
await place('lucky', 3)
await pay('lucky')
await place('late', 1)
await pay('late')
await actors.end()
