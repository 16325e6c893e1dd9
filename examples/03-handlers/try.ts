// The mailer that the handler calls, and orders that are paid: node --import millrace/typescript try.ts ADDRESS
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openDelayedEvents } from 'millrace'
import { OrderPaid } from './streams/shop/events.js'
import SHOP from './streams/shop/stream.js'

const [server = 'nats://127.0.0.1:4222'] = process.argv.slice(2)

/** Keys of mails that were asked for: it is busy the first time that it hears of one. */
const asked = new Set<string>()
let told = (_line: string): void => undefined
const mailer = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk.toString()))
  request.on('end', () => {
    const { to } = JSON.parse(body) as { to: string }
    const key = String(request.headers['idempotency-key'])
    const before = asked.has(key)
    asked.add(key)
    const status = to === 'nobody' ? 422 : before ? 200 : 503
    response.writeHead(status).end()
    told(`${to}: ${{ 200: 'sent, by the key of the attempt before', 422: 'refused for good', 503: 'busy' }[status]}`)
  })
})
await new Promise<void>((resolve) => mailer.listen(0, '127.0.0.1', resolve))
const address = `http://127.0.0.1:${(mailer.address() as AddressInfo).port}/`

const { delayed, close } = await openDelayedEvents({ stream: SHOP, events: [OrderPaid], connection: { server } })
for (const [orderId, email, calls] of [
  ['1', 'ann', 2],
  ['2', 'nobody', 1], // a dead letter: `millrace dead-letters list` has it, with the reason
  ['3', 'bob', 2],
] as const) {
  let left: number = calls
  const done = new Promise<void>((resolve) => {
    told = (line) => {
      console.log(line)
      if ((left -= 1) === 0) resolve()
    }
  })
  await delayed.store({ events: [OrderPaid({ orderId, email, mailer: address })] })
  await done
}
await close()
mailer.close()
mailer.closeAllConnections()
