// The events that the benches move: like those of streams/payments, about 250 bytes of JSON.
import { z } from 'zod'
import { applyStreams } from '../src/broker/apply-streams.ts'
import type { Connection } from '../src/broker/connection.ts'
import { defineStream, type StreamDeclaration } from '../src/broker/define-stream.ts'
import { planStreams } from '../src/broker/plan-streams.ts'
import { Publisher } from '../src/broker/publisher.ts'
import { completeDraft } from '../src/event/complete.ts'
import { defineEvent } from '../src/event/contract.ts'
import { encodeEvent } from '../src/event/encode.ts'
import { messageId } from '../src/event/identity.ts'
import { createRegistry } from '../src/event/registry.ts'
import { publishSubject } from '../src/event/subject.ts'
import type { WireMessage } from '../src/event/wire.ts'
import { systemClock } from '../src/time/system-clock.ts'

export const Paid = defineEvent('payment.authorized', {
  data: z.object({
    paymentId: z.string(),
    cardId: z.string(),
    customerId: z.string(),
    merchantId: z.string(),
    amount: z.number(),
    currency: z.string(),
    country: z.string(),
    channel: z.enum(['chip', 'online', 'contactless']),
  }),
  key: (data) => data.cardId,
})
export const Large = defineEvent('payment.large', {
  data: z.object({ cardId: z.string(), amount: z.number() }),
  key: (data) => data.cardId,
})
export const registry = createRegistry([Paid, Large])

let streams = 0

export async function freshStream(connection: Connection): Promise<StreamDeclaration> {
  streams += 1
  const stream = defineStream({ name: `BENCH${streams}`, root: `bench${streams}` })
  await applyStreams(connection, await planStreams(connection, [stream]))
  return stream
}

/** `count` events over 10,000 cards, or as many as `cards` says, as they go over the wire; one each `spacing` ms. */
export function wireEvents(
  stream: StreamDeclaration,
  count: number,
  prefix = '',
  cards = 10_000,
  spacing = 1,
): WireMessage[] {
  return Array.from({ length: count }, (_, i) => {
    const draft = Paid({
      paymentId: `payment-${prefix}${i}`,
      cardId: `card-${i % cards}`,
      customerId: `customer-${i % 5_000}`,
      merchantId: `merchant-${i % 300}`,
      amount: (i * 7_919) % 50_000,
      currency: 'EUR',
      country: 'DE',
      channel: 'chip',
    })
    const event = completeDraft(draft, {
      id: `payment-${prefix}${i}`,
      source: '/bench',
      time: 1_750_000_000_000 + i * spacing,
    })
    const { headers, data } = encodeEvent(event)
    return {
      subject: publishSubject(stream.root, event.key, event.type),
      headers: [...headers, ['Nats-Msg-Id', messageId(event.source, event.id)]],
      data,
    }
  })
}

export async function fill(connection: Connection, messages: readonly WireMessage[]): Promise<void> {
  const publisher = new Publisher(connection, { clock: systemClock })
  for (const message of messages) {
    await publisher.ready()
    void publisher.publish(message)
  }
  await publisher.flush()
  publisher.close()
}
