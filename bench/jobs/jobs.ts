// Jobs whose model answers at once, with all that is kept of them, against BullMQ doing nothing on a Redis; urgent ones behind a long
// queue; what a queue takes of the server's memory; and how many calls a shared rate of tokens admits.
import { readFile } from 'node:fs/promises'
import { messageOf } from '../../src/error/millrace-error.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import type { DeployedJob } from '../../src/runtime/deployed-jobs.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { isWanted, measure, perSecond, round3, withServer, type Bench, type BenchContext } from '../harness.ts'
import { startDoing, startTaking } from './at-work.ts'
import { startBullMqJobs, type JobsPeer } from './bullmq-jobs.ts'
import { addAll, inputs, publishAll, requests, siteOf, type Input } from './site.ts'
import { tokenLimits } from './token-limits.ts'

const MANY = 20_000
const JOBS = 3_000
const CONCURRENCIES = [1, 10, 100]
/** For the latencies: so many, so many a second, with this concurrency. */
const [ADDED, EACH, AT_WORK] = [1_000, 100, 10]

export const jobs: Bench = async (context) => {
  await peers(context)
  await urgent(context)
  await memory(context)
  await tokenLimits(context)
}

async function peers(context: BenchContext): Promise<void> {
  const processing = CONCURRENCIES.map((concurrency) => ({ concurrency, name: `jobs.noop-c${concurrency}` }))
  if (!isWanted(context, 'jobs.bulk-add', 'jobs.p99', ...processing.map(({ name }) => name))) return
  let peer: JobsPeer
  try {
    peer = await startBullMqJobs()
  } catch (error) {
    console.error(`jobs: BullMQ cannot be had, its cases are left out: ${messageOf(error).split('\n')[0]}`)
    return
  }
  const { connection } = context
  const against = `BullMQ ${peer.version}, Redis with appendfsync everysec`
  try {
    const all = inputs(MANY)
    let site = await siteOf(connection)
    await measure(context, 'jobs', {
      name: 'jobs.bulk-add',
      unit: 'jobs/s',
      against: `${against}, addBulk of 1,000`,
      prepare: async () => {
        site = await siteOf(connection)
      },
      candidate: () => perSecond(MANY, () => addAll(connection, site, all)),
      baseline: () => peer.add(all),
    })
    for (const { concurrency, name } of processing) {
      const few = inputs(concurrency === 1 ? JOBS / 3 : JOBS)
      await measure(context, 'jobs', {
        name,
        unit: 'jobs/s',
        against: `${against}, concurrency ${concurrency}`,
        prepare: async () => {
          site = await queued(connection, few)
        },
        candidate: () => worked(connection, site, few.length, concurrency),
        baseline: () => peer.process(few, concurrency),
      })
    }
    await latencies(context, peer, against)
  } finally {
    await peer.stop()
  }
}

/** p99 of adding until done; lower is better, and so is the ratio. */
async function latencies(context: BenchContext, peer: JobsPeer, against: string): Promise<void> {
  const few = inputs(ADDED)
  for (const [name, part] of [
    ['jobs.p50', 0.5],
    ['jobs.p99', 0.99],
  ] as const)
    await measure(context, 'jobs', {
      name,
      unit: 'ms',
      against: `${against}, add to completed at ${EACH}/s, concurrency ${AT_WORK}`,
      candidate: async () => quantile(await added(context.connection, await siteOf(context.connection), few), part),
      baseline: async () => quantile(await peer.latencies(few, EACH, AT_WORK), part),
    })
}

const BACKLOG = 20_000
const TAKES_MS = 20
const URGENT = { many: 300, each: 20 }

/** p99 of urgent jobs behind a queue of others, as a multiple of what it is without. */
async function urgent(context: BenchContext): Promise<void> {
  if (!isWanted(context, 'jobs.urgent-p99-under-backlog')) return
  const { connection } = context
  const few = inputs(URGENT.many).map((one) => ({ ...one, note: 'urgent' }))
  const run = async (backlog: number): Promise<number> => {
    const site = await queued(
      connection,
      inputs(backlog).map((one) => ({ ...one, note: 'batch' })),
      'backlog',
    )
    return quantile(await added(connection, site, few, { each: URGENT.each, takes: TAKES_MS }), 0.99)
  }
  await measure(context, 'jobs', {
    name: 'jobs.urgent-p99-under-backlog',
    unit: 'ms',
    against: 'the same with no other jobs',
    fresh: true,
    candidate: () => run(BACKLOG),
    baseline: () => run(0),
  })
}

const WAITING = 100_000

/** What jobs that wait take of the server's memory: of one that has done nothing before, as it gives little back. */
async function memory(context: BenchContext): Promise<void> {
  if (!isWanted(context, 'jobs.memory')) return
  await withServer(async (connection, _, pid) => {
    const baseline = await residentMb(pid)
    await queued(connection, inputs(WAITING), 'waiting')
    const value = round3((await residentMb(pid)) - baseline)
    const against = 'the server before; BullMQ holds 94 MB in Redis for as many (measured once, by hand)'
    const of = { bench: 'jobs', case: 'jobs.memory', unit: 'MB', against }
    context.report({ ...of, value, baseline, ratio: round3(value / baseline), runs: 1 })
  })
}

async function residentMb(pid: number): Promise<number> {
  const kb = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  return round3(Number(kb) / 1_024)
}

/** Requests that were taken, and wait in their lanes. */
async function queued(connection: Connection, all: readonly Input[], prefix = 'case'): Promise<DeployedJob> {
  const site = await siteOf(connection)
  if (all.length === 0) return site
  await publishAll(connection, requests(site, all, prefix))
  const taking = await startTaking(connection, site)
  while (taking.acknowledged.confirmed < all.length) await new Promise((resolve) => setTimeout(resolve, 5))
  await taking.stop()
  return site
}

async function worked(connection: Connection, site: DeployedJob, count: number, concurrency: number): Promise<number> {
  let left = count
  let resolve = (): void => undefined
  const done = new Promise<void>((end) => (resolve = end))
  const onDecided = (): void => ((left -= 1) === 0 ? resolve() : undefined)
  let stop = (): Promise<void> => Promise.resolve()
  const rate = await perSecond(count, async () => {
    const worker = await startDoing(connection, site, { concurrency, takes: 0, onDecided })
    stop = () => worker.stop()
    await done
  })
  await stop()
  return rate
}

/** Publishes requests one by one. @returns from publishing until it is decided, of each, in ms */
async function added(
  connection: Connection,
  site: DeployedJob,
  all: readonly Input[],
  { each, takes }: { readonly each: number; readonly takes: number } = { each: EACH, takes: 0 },
): Promise<readonly number[]> {
  const begun = new Map<string, number>()
  const took: number[] = []
  const onDecided = (id: string): void => {
    const at = begun.get(id)
    if (at !== undefined) took.push(performance.now() - at)
  }
  const taking = await startTaking(connection, site)
  const worker = await startDoing(connection, site, { concurrency: AT_WORK, takes, onDecided })
  const messages = requests(site, all)
  const publisher = new Publisher(connection, { clock: systemClock })
  const began = performance.now()
  for (const [n, message] of messages.entries()) {
    await new Promise((resolve) => setTimeout(resolve, began + (n * 1_000) / each - performance.now()))
    begun.set(`case-${n}`, performance.now())
    publisher.publish(message).catch(failed)
  }
  while (took.length < all.length) await new Promise((resolve) => setTimeout(resolve, 20))
  publisher.close()
  await worker.stop()
  await taking.stop()
  return took
}

function failed(error: unknown): never {
  throw error
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
