// Reading a stream with a durable explicit-ack consumer. Baseline: the client's consume() with a callback, an ack per
// message and JSON.parse of the payload: the loop that people write, and the fastest that the client offers.
import { AckPolicy, jetstream } from '@nats-io/jetstream'
import type { Connection } from '../src/broker/connection.ts'
import { Feed } from '../src/broker/feed.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { measure, perSecond, type Bench } from './harness.ts'
import { fill, freshStream, wireEvents } from './payments.ts'

const COUNT = 200_000

export const consume: Bench = async (context) => {
  const stream = await freshStream(context.connection)
  await fill(context.connection, wireEvents(stream, COUNT))
  let round = 0
  await measure(context, 'consume', {
    name: 'consume.loop',
    unit: 'messages/s',
    against: 'consume() callback + ack() + JSON.parse',
    candidate: () => perSecond(COUNT, () => feed(context.connection, stream.name, `ours-${(round += 1)}`)),
    baseline: () => perSecond(COUNT, () => callbackLoop(context.other, stream.name, `bare-${(round += 1)}`, COUNT)),
  })
}

function feed(connection: Connection, stream: string, durable: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0
    const reader: Feed = new Feed(connection, {
      stream,
      filters: [],
      start: { kind: 'sequence', sequence: 1 },
      durable,
      credit: 8_192,
      clock: systemClock,
      onMessages: (messages) => {
        for (const { data } of messages) JSON.parse(Buffer.from(data).toString())
        reader.acknowledge(messages)
        reader.release(messages.length)
        if ((seen += messages.length) === COUNT) {
          reader.stop()
          resolve(connection.manager.consumers.delete(stream, durable).then(() => undefined))
        }
      },
      onFailure: reject,
    })
  })
}

/** The loop of the baseline, also of the pipeline’s bench. @param handle takes what a message says */
export async function callbackLoop(
  connection: Connection,
  stream: string,
  durable: string,
  count: number,
  handle: (data: unknown) => void = () => undefined,
) {
  await connection.manager.consumers.add(stream, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 65_536,
  })
  const consumer = await jetstream(connection.nats).consumers.get(stream, durable)
  await new Promise<void>((resolve, reject) => {
    let seen = 0
    void consumer
      .consume({
        max_messages: 5_000,
        callback: (message) => {
          handle(message.json())
          message.ack()
          if ((seen += 1) === count) resolve()
        },
      })
      .then((messages) => messages.closed().then((error) => (error ? reject(error) : undefined)))
  })
  await connection.manager.consumers.delete(stream, durable)
}
