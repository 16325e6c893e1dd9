// A stage from one stream to another as one writes it with the client: consume, publish with a message id, acknowledge
// when the receipt has come. It loses nothing; what a crash repeats is dropped for as long as the target remembers ids.
import { AckPolicy, jetstream, type JsMsg } from '@nats-io/jetstream'
import { createInbox } from '@nats-io/transport-node'
import type { Connection } from '../src/broker/connection.ts'
import type { StreamDeclaration } from '../src/broker/define-stream.ts'
import { encodeHeaders } from '../src/broker/headers.ts'

export async function rawStage(
  connection: Connection,
  from: string,
  to: StreamDeclaration,
  durable: string,
  count: number,
): Promise<void> {
  const { nats, manager } = connection
  await manager.consumers.add(from, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 65_536,
  })
  const consumer = await jetstream(nats).consumers.get(from, durable)
  const inbox = createInbox()
  const waiting: JsMsg[] = []
  await new Promise<void>((resolve, reject) => {
    let done = 0
    nats.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        if (error !== null) return reject(error)
        const at = Number(message.subject.slice(inbox.length + 1))
        waiting[at]?.ack()
        delete waiting[at]
        if ((done += 1) === count) resolve()
      },
    })
    void consumer
      .consume({
        max_messages: 5_000,
        callback: (message) => {
          const { cardId, amount } = message.json<{ cardId: string; amount: number }>()
          const at = waiting.push(message) - 1
          const headers = encodeHeaders([['Nats-Msg-Id', `${durable}-${message.seq}`]])
          const data = Buffer.from(JSON.stringify({ cardId, amount }))
          nats.publish(`${to.root}.${cardId}.payment.large`, data, { reply: `${inbox}.${at}`, headers })
        },
      })
      .catch(reject)
  })
  await manager.consumers.delete(from, durable)
}
