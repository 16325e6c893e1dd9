// What an actor costs beside its throughput: loading a long history, and memory while it is idle.
import type { Connection } from '../../src/broker/connection.ts'
import { messagesFrom } from '../../src/broker/messages-from.ts'
import { storedRecordSubject } from '../../src/actor/aggregate-subject.ts'
import { EventStore } from '../../src/actor/event-store.ts'
import { evolveAll } from '../../src/actor/evolve.ts'
import { rehydrate } from '../../src/actor/rehydrate.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { fill } from '../payments.ts'
import { isWanted, measure, type BenchContext } from '../harness.ts'
import account from '../actor-streams/ledger/actors/account.ts'
import { Deposited } from '../actor-streams/ledger/events.ts'
import { commandsFor, decided, freshLedger, pause, removeLedger, startRuntime } from './ledger.ts'

const EVENTS = 1_000
/** Beside which the events of the one that is loaded lie. */
const OTHERS = 20
const IDLE = 100_000
/** What the design allows. */
const MOST_BYTES = 600

export async function costs(context: BenchContext): Promise<void> {
  await rehydration(context)
  await bytesIdle(context)
}

/** The whole history of an aggregate that has no snapshot. Baseline: its messages, read and parsed. */
async function rehydration(context: BenchContext): Promise<void> {
  if (!isWanted(context, 'actor.rehydrate-1000')) return
  const { connection, other } = context
  const { stream, deployment } = await freshLedger(connection)
  const store = new EventStore(connection, { stream, events: [Deposited] })
  const deposit = (of: string, at: number) =>
    Deposited({ account: of, amount: 1 + (at % 9), reference: `r${at}`, currency: 'EUR' })
  for (let at = 0; at < EVENTS; at++)
    await Promise.all([
      store.append('account', 'long', 'any', [deposit('long', at)]),
      ...(at % OTHERS === 0 ? [] : [store.append('account', `a${at}`, 'any', [deposit(`a${at}`, at)])]),
    ])
  const place = { connection, clock: systemClock, stream, type: 'account', id: 'long', registry: deployment.registry }
  await measure(context, 'actor', {
    name: 'actor.rehydrate-1000',
    unit: 'ms',
    against: 'the same messages read by their subject, with JSON.parse',
    candidate: async () => {
      const began = performance.now()
      const { version } = await rehydrate(place, {
        actor: account,
        fold: (aggregate, events) => evolveAll(account, aggregate as never, events).state,
      })
      if (version !== EVENTS) throw new Error(`version ${version}`)
      return performance.now() - began
    },
    baseline: () => readAndParse(other, stream.name, storedRecordSubject(stream, 'account', 'long')),
  })
}

async function readAndParse(connection: Connection, stream: string, filter: string): Promise<number> {
  const began = performance.now()
  let read = 0
  const all = { stream, filter, from: 1, clock: systemClock, untilCaughtUp: true }
  for await (const { data } of messagesFrom(connection, all))
    read += (JSON.parse(Buffer.from(data).toString()) as unknown[]).length
  if (read !== EVENTS) throw new Error(`${read} events`)
  return performance.now() - began
}

/** Heap of the process with so many aggregates in memory, each with a small state. */
async function bytesIdle(context: BenchContext): Promise<void> {
  const { connection } = context
  await measure(context, 'actor', {
    name: 'actor.bytes-idle',
    unit: 'bytes',
    against: 'what the design allows: 600',
    fresh: true,
    candidate: async () => {
      const ledger = await freshLedger(connection)
      await fill(connection, commandsFor(ledger, IDLE, IDLE))
      const before = heap()
      const runtime = await startRuntime(connection, ledger)
      while ((await decided(connection, ledger)) < IDLE) await pause(20)
      await pause(500)
      const bytes = (heap() - before) / IDLE
      await runtime.stop()
      await removeLedger(connection, ledger)
      return bytes
    },
    baseline: async () => MOST_BYTES,
  })
}

function heap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
