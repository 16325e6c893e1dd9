// Reading history. Baseline: the client's ordered consumer (no acks) with a callback, the fastest reader that it has.
// The first case reads only; the second writes every event as a line of NDJSON, to nowhere.
import { jetstream } from '@nats-io/jetstream'
import type { Connection } from '../src/broker/connection.ts'
import { ndjsonSink } from '../src/replay/ndjson-sink.ts'
import { readRange } from '../src/replay/read-range.ts'
import { replay as runReplay } from '../src/replay/replay.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { measure, perSecond, type Bench } from './harness.ts'
import { fill, freshStream, wireEvents } from './payments.ts'

const COUNT = 200_000
const AGAINST = 'ordered consumer, callback'

export const replay: Bench = async (context) => {
  const { connection, other } = context
  const stream = await freshStream(connection)
  await fill(connection, wireEvents(stream, COUNT))
  const baseline = () => perSecond(COUNT, () => orderedConsumer(other, stream.name))
  await measure(context, 'replay', {
    name: 'replay.read',
    unit: 'messages/s',
    against: AGAINST,
    candidate: () => perSecond(COUNT, () => read(connection, stream.name, [`${stream.root}.*.>`])),
    baseline,
  })
  await measure(context, 'replay', {
    name: 'replay.ndjson',
    unit: 'events/s',
    against: AGAINST,
    candidate: () => perSecond(COUNT, () => lines(connection, stream.name)),
    baseline,
  })
}

async function read(connection: Connection, stream: string, filters: readonly string[]): Promise<void> {
  let seen = 0
  await readRange(connection, {
    stream,
    filters,
    first: 1,
    last: COUNT,
    clock: systemClock,
    take: (messages) => {
      seen += messages.length
    },
  })
  if (seen !== COUNT) throw new Error(`read ${seen} of ${COUNT}`)
}

async function lines(connection: Connection, stream: string): Promise<void> {
  let written = 0
  const sink = ndjsonSink({ stream, write: (text) => void (written += text.length) })
  const from = { kind: 'sequence', sequence: 1 } as const
  const { delivered } = await runReplay({ connection, clock: systemClock, stream, from, sink })
  if (delivered !== COUNT || written === 0) throw new Error(`wrote ${delivered} of ${COUNT}`)
}

async function orderedConsumer(connection: Connection, stream: string): Promise<void> {
  const consumer = await jetstream(connection.nats).consumers.get(stream)
  let seen = 0
  await new Promise<void>((resolve, reject) => {
    consumer
      .consume({
        max_messages: 5_000,
        callback: () => {
          if ((seen += 1) === COUNT) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.delete()
}
