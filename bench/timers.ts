// Lateness of events that wait: from the time at which they are due to the moment at which they are handled. Baseline:
// message schedules of the server, published as they are and read by the client's `for await` over consume(), which
// is what the server alone takes.
import { AckPolicy, jetstream } from '@nats-io/jetstream'
import { z } from 'zod'
import { applyStreams } from '../src/broker/apply-streams.ts'
import type { Connection } from '../src/broker/connection.ts'
import type { StreamDeclaration } from '../src/broker/define-stream.ts'
import { planStreams } from '../src/broker/plan-streams.ts'
import { workStream } from '../src/broker/work-stream.ts'
import { defineHandler } from '../src/delivery/define-handler.ts'
import { HandlerRun } from '../src/delivery/handler-run.ts'
import { defineEvent } from '../src/event/contract.ts'
import { createRegistry } from '../src/event/registry.ts'
import { silentLog } from '../src/observe/log.ts'
import { DelayedEvents } from '../src/schedule/delayed-events.ts'
import { systemId } from '../src/time/system-chance.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { isWanted, type Bench } from './harness.ts'
import { freshStream } from './payments.ts'

const Due = defineEvent('timer.due', { data: z.object({ n: z.number() }), key: ({ n }) => `k${n % 1_000}` })

const COUNT = 20_000
/** They are due over so long, from so long after the first is set. */
const OVER_MS = 4_000
const SET_UP_MS = 8_000
const AGAINST = 'the schedules of nats-server alone, read by for await over consume()'

interface Lateness {
  readonly p50: number
  readonly p99: number
}

export const timers: Bench = async (context) => {
  const { connection, other, rounds, report } = context
  if (!isWanted(context, 'delivery.timers')) return
  const [ours, bare]: [Lateness[], Lateness[]] = [[], []]
  for (let round = 0; round < rounds; round += 1) {
    const sides = [async () => ours.push(await handled(connection)), async () => bare.push(await alone(other))]
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side()
  }
  for (const which of ['p50', 'p99'] as const) {
    const [value, baseline] = [median(ours.map((one) => one[which])), median(bare.map((one) => one[which]))]
    const ratio = median(ours.map((one, at) => one[which] / (bare[at]?.[which] ?? Number.NaN)))
    const unit = `ms late, ${which} of ${COUNT}`
    const name = `delivery.timers.${which}`
    report({ bench: 'delivery', case: name, value, unit, baseline, ratio, runs: rounds, against: AGAINST })
  }
}

/** Set by DelayedEvents, handled by a handler. */
async function handled(connection: Connection): Promise<Lateness> {
  const stream = await freshStream(connection)
  const work = workStream(stream)
  await applyStreams(connection, await planStreams(connection, [stream, work]))
  const late: number[] = []
  const run = await HandlerRun.start({
    connection,
    declaration: defineHandler({
      name: 'timers',
      on: { stream: stream.name, events: [Due] },
      concurrency: { worker: 256, total: 65_536 },
      handle: (event) => {
        late.push(Date.now() - event.time)
        return Promise.resolve(undefined)
      },
    }),
    registry: createRegistry([Due]),
    stream,
    work,
    clock: systemClock,
    log: silentLog,
    chance: Math.random,
    onFailure: (error) => {
      throw error
    },
  })
  const delayed = new DelayedEvents({ connection, stream, events: [Due], clock: systemClock, newId: systemId })
  const first = Date.now() + SET_UP_MS
  for (let from = 0; from < COUNT; from += 500)
    await delayed.store({
      schedule: Array.from({ length: 500 }, (_, at) => {
        return { event: Due({ n: from + at }), at: dueAt(first, from + at), id: `t${from + at}` }
      }),
    })
  requireSet(first)
  while (late.length < COUNT) await systemClock.sleep(20)
  delayed.close()
  await run.stop()
  return quantiles(late)
}

async function alone(connection: Connection): Promise<Lateness> {
  const stream = await freshStream(connection)
  await connection.manager.consumers.add(stream.name, {
    durable_name: 'bare',
    ack_policy: AckPolicy.None,
    filter_subject: `${stream.root}.>`,
  })
  const client = jetstream(connection.nats)
  const consumer = await client.consumers.get(stream.name, 'bare')
  const messages = await consumer.consume({ max_messages: 5_000 })
  const first = Date.now() + SET_UP_MS
  await setBare(connection, stream, first)
  requireSet(first)
  const late: number[] = []
  for await (const message of messages) {
    late.push(Date.now() - message.json<{ due: number }>().due)
    if (late.length === COUNT) break
  }
  await messages.close()
  return quantiles(late)
}

async function setBare(connection: Connection, stream: StreamDeclaration, first: number): Promise<void> {
  const client = jetstream(connection.nats)
  for (let from = 0; from < COUNT; from += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, at) => {
        const due = dueAt(first, from + at)
        const target = `${stream.root}.k${(from + at) % 1_000}.timer.due`
        const schedule = { specification: new Date(due), target }
        return client.publish(`millrace.${stream.name}.delayed.t${from + at}`, JSON.stringify({ due }), { schedule })
      }),
    )
}

function dueAt(first: number, at: number): number {
  return first + Math.floor((at * OVER_MS) / COUNT)
}

function requireSet(first: number): void {
  if (Date.now() > first) throw new Error('the first were due before the last was set')
}

function quantiles(late: readonly number[]): Lateness {
  const sorted = late.toSorted((one, other) => one - other)
  const at = (share: number): number => Math.max(1, sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
  return { p50: at(0.5), p99: at(0.99) }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
