// Storing messages. Baseline: the client's own publish with a shared reply inbox and counted receipts, over headers
// that were encoded before the clock started; it repeats nothing, reads no receipt, and maps no error.
import { createInbox, type MsgHdrs } from '@nats-io/transport-node'
import type { Connection } from '../src/broker/connection.ts'
import { encodeHeaders } from '../src/broker/headers.ts'
import { Publisher } from '../src/broker/publisher.ts'
import type { WireMessage } from '../src/event/wire.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { measure, perSecond, type Bench } from './harness.ts'
import { freshStream, wireEvents } from './payments.ts'

const COUNT = 100_000

export const publish: Bench = async (context) => {
  let round = 0
  let messages: WireMessage[] = []
  let encoded: MsgHdrs[] = []
  await measure(context, 'publish', {
    name: 'publish.pipelined',
    unit: 'messages/s',
    against: 'raw publish, shared inbox, counted receipts, same bytes',
    prepare: async () => {
      messages = wireEvents(await freshStream(context.connection), COUNT, `${(round += 1)}-`)
      encoded = messages.map(({ headers }) => encodeHeaders(headers))
    },
    candidate: () => perSecond(COUNT, () => ours(context.connection, messages)),
    baseline: () => perSecond(COUNT, () => raw(context.other, messages, encoded)),
  })
}

async function ours(connection: Connection, messages: readonly WireMessage[]): Promise<void> {
  const publisher = new Publisher(connection, { clock: systemClock })
  let stored = 0
  const count = (): void => {
    stored += 1
  }
  for (const message of messages) {
    if (publisher.full) await publisher.ready()
    publisher.publish(message).then(count, fail)
  }
  await publisher.flush()
  publisher.close()
  if (stored !== messages.length) throw new Error(`${stored} of ${messages.length} stored`)
}

function fail(error: unknown): never {
  throw error
}

async function raw({ nats }: Connection, messages: readonly WireMessage[], encoded: readonly MsgHdrs[]): Promise<void> {
  const inbox = createInbox()
  const receipts = { count: 0 }
  let wake: (() => void) | undefined
  const subscription = nats.subscribe(`${inbox}.*`, {
    callback: () => {
      receipts.count += 1
      wake?.()
    },
  })
  for (const [at, { subject, data }] of messages.entries()) {
    while (at - receipts.count >= 2_000) await new Promise<void>((resolve) => (wake = resolve))
    nats.publish(subject, data, { reply: `${inbox}.${at}`, headers: encoded[at] as MsgHdrs })
  }
  while (receipts.count < messages.length) await new Promise<void>((resolve) => (wake = resolve))
  subscription.unsubscribe()
}
