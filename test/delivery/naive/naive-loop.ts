// What is usually written: the client’s consume loop, with the mistakes that users of other systems report. Each test of a
// complaint fails on the one that makes its mistake.
import { AckPolicy, jetstream, type ConsumerConfig, type JsMsg } from '@nats-io/jetstream'
import type { Connection } from '../../../src/broker/connection.ts'
import type { Place } from '../running-handlers.ts'

/** What is to be done, by whichever implementation. */
export interface Spec {
  readonly handle: (n: number, attempt: number) => unknown
  readonly attempts?: number
  /** Between two attempts, in ms. */
  readonly delay?: number
  readonly worker?: number
  readonly total?: number
  readonly ackWait?: number
}

export type Implementation = (
  connection: Connection,
  at: Place,
  spec: Spec,
) => Promise<{ readonly stop: () => Promise<void> }>

export interface Mistakes {
  /** What it does when the handler throws. */
  readonly onError: 'nak' | 'nak-later' | 'nothing' | 'dead-letter-after-the-last' | 'payload-only'
  /** Acknowledges when so many are done. */
  readonly ackEvery?: number
  /** Leaves the limit to the client. */
  readonly ignoresTotal?: boolean
  readonly consumer?: Partial<ConsumerConfig>
}

export const naive =
  (mistakes: Mistakes): Implementation =>
  async (connection, { stream }, spec) => {
    const { handle, attempts = 3, delay = 100, worker = 16, total = 1_000, ackWait = 2_000 } = spec
    const { manager, nats } = connection
    await manager.consumers.add(stream.name, {
      durable_name: 'handler-spec',
      ack_policy: AckPolicy.Explicit,
      ack_wait: ackWait * 1e6,
      max_ack_pending: mistakes.ignoresTotal === true ? 1_000 : total,
      max_deliver: attempts,
      filter_subject: `${stream.root}.>`,
      ...mistakes.consumer,
    })
    const consumer = await jetstream(nats).consumers.get(stream.name, 'handler-spec')
    const messages = await consumer.consume({ max_messages: Math.max(100, worker) })
    const done: JsMsg[] = []
    const failed = (message: JsMsg): void => {
      const { deliveryCount } = message.info
      switch (mistakes.onError) {
        case 'nak':
          return message.nak()
        case 'nak-later':
          return message.nak(delay)
        case 'nothing':
          return
        case 'dead-letter-after-the-last':
          // there is no delivery after the last one, so nothing ever gets here
          if (deliveryCount > attempts) nats.publish(`millrace.dead.${stream.name}.${message.seq}.naive`, message.data)
          return message.nak()
        case 'payload-only':
          if (deliveryCount < attempts) return message.nak(delay)
          nats.publish(`millrace.dead.${stream.name}.${message.seq}.naive`, message.data)
          return message.term()
      }
    }
    const one = async (message: JsMsg): Promise<void> => {
      try {
        await handle(message.json<{ n: number }>().n, message.info.deliveryCount)
      } catch {
        return failed(message)
      }
      done.push(message)
      if (done.length >= (mistakes.ackEvery ?? 1)) for (const each of done.splice(0)) each.ack()
    }
    void (async () => {
      const running = new Set<Promise<void>>()
      for await (const message of messages) {
        const run = one(message).finally(() => running.delete(run))
        running.add(run)
        if (running.size >= worker) await Promise.race(running)
      }
    })()
    return { stop: async () => void (await messages.close()) }
  }
