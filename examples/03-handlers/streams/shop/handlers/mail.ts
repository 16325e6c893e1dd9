import { defineHandler, fixed, permanent, retry } from 'millrace'
import { OrderPaid } from '../events.js'

// A mail for each order that is paid. A mailer that is busy is asked again later; what it refuses for good is a dead letter.
export default defineHandler({
  name: 'mail',
  on: { stream: 'SHOP', events: [OrderPaid] },
  concurrency: { worker: 4, total: 8 },
  timeout: '5s',
  recovery: retry({ attempts: 5, backoff: fixed('100ms') }),
  handle: async ({ data: { mailer, email, orderId } }, { idempotencyKey, signal }) => {
    // the same key in each attempt, so that the mailer can tell a mail that it has sent already
    const headers = { 'Idempotency-Key': idempotencyKey }
    const body = JSON.stringify({ to: email, text: `order ${orderId} is paid` })
    const { status, ok } = await fetch(mailer, { method: 'POST', headers, body, signal })
    if (status === 422) throw permanent(`the mailer refuses ${email}`)
    if (!ok) throw new Error(`the mailer answers ${status}`)
  },
})
