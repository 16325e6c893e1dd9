// Publishes what the demo feeds the runtime: real metrics, made-up payments, and a few events that a producer broke.
import { readFileSync } from 'node:fs'
import type { Connection } from '../src/broker/connection.ts'
import { Publisher } from '../src/broker/publisher.ts'
import { encodeEvent } from '../src/event/encode.ts'
import { messageId } from '../src/event/identity.ts'
import { publishSubject } from '../src/event/subject.ts'
import { systemClock } from '../src/time/system-clock.ts'
import type { GeneratedEvent } from './generate-plan.ts'

export interface Published {
  /** Events handed to the publisher. */
  readonly sent: number
  /** Receipts with a new sequence. */
  readonly stored: number
  readonly seconds: number
}

/** The recorded series of streams/machines. */
export function recordedMetrics(): GeneratedEvent[] {
  const file = new URL('../streams/machines/recordings/cpu-april-2014.ndjson', import.meta.url)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as GeneratedEvent)
}

/**
 * Publishes events in order, unchecked: a producer in another language would not check them either.
 * @param onProgress told now and then how many have been sent
 */
export async function publishEvents(
  connection: Connection,
  root: string,
  events: Iterable<GeneratedEvent>,
  onProgress: (sent: number) => void = () => undefined,
): Promise<Published> {
  const publisher = new Publisher(connection, { clock: systemClock })
  const started = performance.now()
  let sent = 0
  let stored = 0
  const failures: unknown[] = []
  for (const event of events) {
    const { headers, data } = encodeEvent({
      ...event,
      version: Number(event.dataversion ?? 1),
      time: Date.parse(event.time),
      key: event.partitionkey,
      correlationId: undefined,
      causationId: undefined,
      attributes: {},
    })
    if (publisher.full) await publisher.ready()
    const subject = publishSubject(root, event.partitionkey, event.type)
    publisher
      .publish({ subject, data, headers: [...headers, ['Nats-Msg-Id', messageId(event.source, event.id)]] })
      .then(
        (ack) => (stored += ack.duplicate ? 0 : 1),
        (error: unknown) => failures.push(error),
      )
    sent += 1
    if (sent % 1_000 === 0) onProgress(sent)
  }
  await publisher.flush()
  publisher.close()
  if (failures.length > 0) throw failures[0]
  return { sent, stored, seconds: (performance.now() - started) / 1_000 }
}
