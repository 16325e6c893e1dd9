// The readings that a soak publishes: many sensors, bursts, and pauses in which only the clock moves.
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import type { EventContract } from '../../src/event/contract.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { messageId } from '../../src/event/identity.ts'
import { publishSubject } from '../../src/event/subject.ts'
import { systemClock } from '../../src/time/system-clock.ts'

const SENSORS = 120
/** Longer than any outage of the soak, shorter than the stream remembers message ids. */
const PATIENCE_MS = 90_000

export interface Publishing {
  /** Ids whose publish was acknowledged, in order. */
  readonly acknowledged: string[]
  readonly done: Promise<void>
}

/** Publishes until `signal` is aborted: about 400 readings a second, or one in `slower` of that. */
export function publishReadings(
  connection: Connection,
  stream: StreamDeclaration,
  contract: EventContract,
  signal: AbortSignal,
  slower = 1,
): Publishing {
  const acknowledged: string[] = []
  return { acknowledged, done: publish(connection, stream, contract, signal, slower, acknowledged) }
}

async function publish(
  connection: Connection,
  stream: StreamDeclaration,
  contract: EventContract,
  signal: AbortSignal,
  slower: number,
  acknowledged: string[],
): Promise<void> {
  const publisher = new Publisher(connection, { clock: systemClock, patience: PATIENCE_MS })
  const make = contract as unknown as (data: object) => Parameters<typeof completeDraft>[0]
  let n = 0
  const failures: unknown[] = []
  while (!signal.aborted && failures.length === 0) {
    const burst = Math.random() < 0.1 ? 120 : 8
    for (let at = 0; at < burst; at++) {
      const id = `reading-${(n += 1)}`
      const sensor = `s${Math.floor(Math.random() * SENSORS)}`
      const draft = make({ sensor, n, value: Math.floor(Math.random() * 100) })
      const event = completeDraft(draft, { id, source: '/soak', time: Date.now() })
      const { headers, data } = encodeEvent(event)
      const subject = publishSubject(stream.root, event.key, event.type)
      await publisher.ready()
      publisher.publish({ subject, headers: [...headers, ['Nats-Msg-Id', messageId('/soak', id)]], data }).then(
        () => acknowledged.push(id),
        (error: unknown) => failures.push(error),
      )
    }
    const pause = Math.random() < 0.03 ? 700 : 20 * slower
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
  await publisher.flush()
  publisher.close()
  if (failures.length > 0) throw failures[0]
}
