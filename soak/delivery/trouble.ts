// What happens in the soak of delivery, beside what happens to workers and the server in every soak: links between them are
// cut and slowed down, and PostgreSQL is killed.
import type { Link } from '../../test/support/link.ts'
import { troubleServer, troubleWorkers, type FaultCounts, type Victim } from '../chaos/faults.ts'
import type { Timeline } from '../chaos/timeline.ts'
import type { WorkerProcess } from '../chaos/worker-process.ts'

export interface DeliveryFaults extends FaultCounts {
  cuts: number
  delays: number
  databaseKills: number
}

export interface Database {
  kill(): Promise<void>
  restart(): Promise<void>
}

export interface DeliveryTroubleOptions {
  readonly workers: readonly WorkerProcess[]
  /** That of each worker. */
  readonly links: readonly Link[]
  readonly timeline: Timeline
  readonly server: Victim
  readonly serverEvery: number
  readonly database: Database | undefined
  readonly signal: AbortSignal
  readonly onFault: (text: string) => void
}

const between = (least: number, most: number): number => least + Math.random() * (most - least)
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Goes on until `signal` is aborted, then leaves every worker awake, every link whole, and both servers running. */
export async function makeDeliveryTrouble(options: DeliveryTroubleOptions): Promise<DeliveryFaults> {
  const counts: DeliveryFaults = {
    workerKills: 0,
    workerStops: 0,
    workerFreezes: 0,
    serverKills: 0,
    cuts: 0,
    delays: 0,
    databaseKills: 0,
  }
  await Promise.all([
    troubleWorkers(options, counts),
    troubleServer(options, counts),
    troubleLinks(options, counts),
    troubleDatabase(options, counts),
  ])
  return counts
}

async function troubleLinks(
  { links, workers, timeline, signal, onFault }: DeliveryTroubleOptions,
  counts: DeliveryFaults,
): Promise<void> {
  while (!signal.aborted) {
    await wait(between(1_000, 4_000))
    const at = Math.floor(Math.random() * links.length)
    const [link, worker] = [links[at], workers[at]]
    if (link === undefined || signal.aborted) continue
    const hit = (what: string): void => timeline.worker(String(worker?.pid), what)
    const chance = counts.cuts === 0 ? 0 : Math.random()
    hit('its link is troubled')
    if (chance < 0.4) {
      counts.cuts += 1
      onFault('a link is cut')
      link.cut()
    } else if (chance < 0.6) {
      counts.cuts += 1
      onFault('a link is away')
      link.close()
      await wait(between(500, 4_000))
      link.open()
    } else if (chance < 0.75) {
      counts.cuts += 1
      onFault('a link is deaf')
      link.deafen()
      await wait(between(500, 3_000))
      link.cut()
    } else {
      counts.delays += 1
      onFault('a link is slow')
      link.slow(between(20, 400))
      await wait(between(1_000, 3_000))
      link.slow(0)
    }
    hit('its link is whole')
  }
}

async function troubleDatabase(
  { database, serverEvery, signal, onFault }: DeliveryTroubleOptions,
  counts: DeliveryFaults,
): Promise<void> {
  if (database === undefined) return
  for (;;) {
    const until = performance.now() + between(0.5, 1.2) * serverEvery * 1_000
    while (performance.now() < until && !signal.aborted) await wait(100)
    if (signal.aborted) return
    counts.databaseKills += 1
    onFault('PostgreSQL is killed')
    await database.kill()
    await wait(between(200, 4_000))
    await database.restart()
  }
}
