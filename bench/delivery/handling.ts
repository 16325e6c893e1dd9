// A handler at work, and the loops that people write in its place.
import { AckPolicy, jetstream } from '@nats-io/jetstream'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { workStream } from '../../src/broker/work-stream.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import type { HandlerContext } from '../../src/delivery/handler-context.ts'
import { HandlerRun } from '../../src/delivery/handler-run.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { perSecond } from '../harness.ts'
import { fill, freshStream, Paid, wireEvents } from '../payments.ts'

/** A stream of events that are to be handled, and its work. */
export interface Site {
  readonly stream: StreamDeclaration
  readonly work: StreamDeclaration
  readonly count: number
}

export async function siteOf(connection: Connection, count: number): Promise<Site> {
  const stream = await freshStream(connection)
  const work = workStream(stream)
  await applyStreams(connection, await planStreams(connection, [stream, work]))
  await fill(connection, wireEvents(stream, count))
  return { stream, work, count }
}

export function startHandler(
  connection: Connection,
  { stream, work }: Site,
  name: string,
  worker: number,
  handle: (event: unknown, context: HandlerContext) => Promise<undefined> = async () => undefined,
): Promise<HandlerRun> {
  return HandlerRun.start({
    connection,
    declaration: defineHandler({
      name,
      on: { stream: stream.name, events: [Paid] },
      concurrency: { worker, total: 65_536 },
      handle,
    }),
    registry: createRegistry([Paid]),
    stream,
    work,
    clock: systemClock,
    log: silentLog,
    chance: Math.random,
    onFailure: (error) => {
      throw error
    },
  })
}

/** From the first event to the last confirmed acknowledgement, in events per second. */
export async function handled(connection: Connection, site: Site, name: string, worker: number): Promise<number> {
  let run: HandlerRun | undefined
  const rate = await perSecond(site.count, async () => {
    run = await startHandler(connection, site, name, worker)
    while (run.acknowledged.confirmed < site.count) await systemClock.sleep(2)
  })
  await run?.stop()
  await connection.manager.consumers.delete(site.stream.name, `handler-${name}`)
  return rate
}

/** The client’s `for await` over consume(), JSON.parse, and an ack that the server confirms, so many of them on their way. */
export async function looped(
  connection: Connection,
  { stream, count }: Site,
  durable: string,
  inFlight: number,
): Promise<number> {
  return perSecond(count, async () => {
    await connection.manager.consumers.add(stream.name, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      max_ack_pending: 65_536,
    })
    const consumer = await jetstream(connection.nats).consumers.get(stream.name, durable)
    const messages = await consumer.consume({ max_messages: 5_000 })
    let seen = 0
    const acks = { open: 0 }
    let wake = (): void => undefined
    const confirmed = (): void => {
      acks.open -= 1
      wake()
    }
    const until = async (most: number): Promise<void> => {
      while (acks.open > most) await new Promise<void>((resolve) => (wake = resolve))
    }
    for await (const message of messages) {
      message.json()
      acks.open += 1
      void message.ackAck().then(confirmed)
      if ((seen += 1) === count) break
      if (acks.open >= inFlight) await until(inFlight - 1)
    }
    await until(0)
    await messages.close()
    await connection.manager.consumers.delete(stream.name, durable)
  })
}
