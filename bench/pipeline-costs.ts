// What a pipeline costs beside its throughput: a takeover, a recovery with 100,000 keys, bytes for each key, and a
// server that writes every commit through to the disk.
import { bufferTime, filter, map, scan, type Observable } from 'rxjs'
import { z } from 'zod'
import type { StreamDeclaration } from '../src/broker/define-stream.ts'
import type { DraftOf, EventOf } from '../src/event/contract.ts'
import { Ownership } from '../src/kernel/ownership/ownership.ts'
import { defineKeyed } from '../src/pipeline/define-keyed.ts'
import { definePipeline } from '../src/pipeline/define-pipeline.ts'
import { declaredProcessor, type DeclaredPipeline } from '../src/pipeline/declared-pipeline.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { measure, perSecond, withServer, type Bench, type BenchContext } from './harness.ts'
import { fill, freshStream, Large, Paid, wireEvents } from './payments.ts'
import { runUntil, startWhole } from './running.ts'

const KEYS = 100_000
const LEASE_S = 3

export const costs: Bench = async (context) => {
  await takeover(context)
  const from = await freshStream(context.connection)
  await fill(context.connection, wireEvents(from, KEYS, '', KEYS))
  for (const [mode, declare] of Object.entries(MODES)) await recovery(context, from, mode, declare)
  await syncAlways(context)
}

/** How long units of a process that died stand still. Baseline: the lease, which has to run out first. */
async function takeover(context: BenchContext): Promise<void> {
  const { connection, other } = context
  let group = 0
  await measure(context, 'pipeline', {
    name: 'pipeline.takeover',
    unit: 's',
    against: 'the lease of a process',
    candidate: async () => {
      const units = Array.from({ length: 16 }, (_, at) => ({ id: `unit-${at}`, processor: 'unit' }))
      const running = new Set<string>()
      const options = {
        connection,
        clock: systemClock,
        group: `bench-${(group += 1)}`,
        replicas: 1,
        units,
        run: async (unit: string) => {
          running.add(unit)
          return { stop: async () => undefined, ended: new Promise<void>(() => undefined) }
        },
        onFailure: () => undefined,
      }
      // the first dies: its connection goes, and with it everything it would say
      const doomed = await connectLike(other)
      await Ownership.start({ ...options, connection: doomed, member: 'first' })
      while (running.size < units.length) await pause(5)
      const second = await Ownership.start({ ...options, member: 'second', run: options.run })
      await doomed.close()
      const began = performance.now()
      while (second.held.length < units.length) await pause(5)
      await second.stop()
      return (performance.now() - began) / 1_000
    },
    baseline: async () => LEASE_S,
  })
}

const MODES: Readonly<Record<string, (name: string, stream: string, to: string) => DeclaredPipeline>> = {
  slots: (name, stream, to) =>
    inSlots(name, stream, to, (paid$) =>
      paid$.pipe(
        scan((sum, { data }) => sum + data.amount, 0),
        filter((sum) => sum < 0),
        map((sum) => Large({ cardId: '', amount: sum })),
      ),
    ),
  'slots-bufferTime': (name, stream, to) =>
    inSlots(name, stream, to, (paid$) =>
      paid$.pipe(
        bufferTime(3_600_000),
        filter((paid) => paid.length > 0),
        map((paid) => Large({ cardId: paid[0]?.data.cardId ?? '', amount: paid.length })),
      ),
    ),
  checkpoint: (name, stream, to) =>
    definePipeline({
      name,
      version: 1,
      from: { stream, events: [Paid] },
      to: { stream: to, events: [Large] },
      recovery: { mode: 'checkpoint' },
      pipeline: (paid$, ctx) =>
        paid$.pipe(
          ctx.ops.scan((sum, { data }) => sum + data.amount, 0),
          filter((sum) => sum < 0),
          map((sum) => Large({ cardId: ctx.key, amount: sum })),
        ),
    }),
  keyed: (name, stream, to) =>
    defineKeyed({
      name,
      version: 1,
      from: { stream, events: [Paid] },
      to: { stream: to, events: [Large] },
      state: z.object({ sum: z.number() }),
      onEvent(c, { data }) {
        c.state = { sum: (c.state?.sum ?? 0) + data.amount }
        c.timer('end', c.now + 3_600_000)
      },
      onTimer: (c) => c.clear(),
    }),
}

type Build = (paid$: Observable<EventOf<typeof Paid>>) => Observable<DraftOf<typeof Large>>

function inSlots(name: string, stream: string, to: string, build: Build): DeclaredPipeline {
  return definePipeline({
    name,
    version: 1,
    from: { stream, events: [Paid] },
    to: { stream: to, events: [Large] },
    recovery: { mode: 'slots', idle: '1h' },
    pipeline: (paid$) => build(paid$),
  })
}

/** From the claim to live, with 100,000 keys alive; and what they take of memory. */
async function recovery(
  context: BenchContext,
  from: StreamDeclaration,
  mode: string,
  declare: (name: string, stream: string, to: string) => DeclaredPipeline,
): Promise<void> {
  const { connection } = context
  const to = await freshStream(connection)
  const processor = declaredProcessor(declare(`r-${mode}`, from.name, to.name), { from, to })
  const first = await startWhole(connection, processor)
  while (first.counts.turns < KEYS) await pause(5)
  await first.stop()
  const live = async (): Promise<number> => {
    const began = performance.now()
    const run = await startWhole(connection, processor)
    while (run.state.kind !== 'live') await pause(1)
    const seconds = (performance.now() - began) / 1_000
    await run.stop()
    return seconds
  }
  await measure(context, 'pipeline', {
    name: `pipeline.recovery-${mode}`,
    unit: 's',
    against: `one second for 100,000 keys`,
    candidate: live,
    baseline: async () => 1,
  })
  await measure(context, 'pipeline', {
    name: `pipeline.bytes-per-key-${mode}`,
    unit: 'bytes',
    against: 'what the design allows: 3,000 for a slot, 254 for a key',
    candidate: async () => {
      const before = heap()
      const run = await startWhole(connection, processor)
      while (run.state.kind !== 'live') await pause(1)
      await pause(200)
      const bytes = (heap() - before) / KEYS
      await run.stop()
      return bytes
    },
    baseline: async () => (mode.startsWith('slots') ? 3_000 : 254),
  })
}

/** A commit is the unit of writing through: what a power loss costs nothing. Baseline: the same on a server that waits. */
async function syncAlways(context: BenchContext): Promise<void> {
  const count = 20_000
  await withServer(
    async (synced) => {
      const there = await prepared(synced, count)
      const here = await prepared(context.connection, count)
      await measure(context, 'pipeline', {
        name: 'pipeline.sync-always',
        unit: 'events/s',
        against: 'the same with sync_interval 2m, the default of the server',
        candidate: () => perSecond(count, () => there()),
        baseline: () => perSecond(count, () => here()),
      })
    },
    { syncAlways: true },
  )
}

async function prepared(connection: BenchContext['connection'], count: number): Promise<() => Promise<void>> {
  const from = await freshStream(connection)
  const to = await freshStream(connection)
  await fill(connection, wireEvents(from, count))
  let round = 0
  return () => {
    const declared = definePipeline({
      name: `s${(round += 1)}`,
      version: 1,
      from: { stream: from.name, events: [Paid] },
      to: { stream: to.name, events: [Large], packed: true },
      recovery: { mode: 'stateless' },
      pipeline: (paid$) => paid$.pipe(map(({ data }) => Large({ cardId: data.cardId, amount: data.amount }))),
    })
    return runUntil(connection, declaredProcessor(declared, { from, to }), count)
  }
}

function heap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function connectLike({ nats }: BenchContext['other']) {
  const { connectBroker } = await import('../src/broker/connection.ts')
  return connectBroker({
    servers: [nats.getServer()],
    auth: { kind: 'none' },
    name: 'doomed',
    timeout: 5_000,
    origin: 'bench',
  })
}
