// The soak named chaos: three workers share every unit of soak/streams while they and the server are killed and frozen.
// At the end everything that was stored is compared with an uninterrupted run over the same log and journal.
import { join } from 'node:path'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { discover } from '../../src/runtime/discover.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { lag } from '../../demo/positions.ts'
import { connectTo } from '../../test/support/broker.ts'
import { readAll } from '../../test/support/events.ts'
import { makeTrouble, type FaultCounts, type FaultOptions, type Victim } from './faults.ts'
import { judge, type Verdict } from './oracle.ts'
import { publishReadings } from './publishing.ts'
import { Timeline } from './timeline.ts'
import { lastSequences, takeovers, untilClaimed, untilQuiet } from './units.ts'
import { WorkerProcess, type WorkerCounts } from './worker-process.ts'

export interface ChaosOptions {
  readonly seconds: number
  /** Of the server, or of the nodes of its cluster. */
  readonly urls: readonly string[]
  readonly server: Victim
  /** Seconds between two kills of the server. */
  readonly serverEvery: number
  readonly replicas?: 1 | 3
  /** So often somebody takes over a unit at least; for that, workers are troubled longer where it is needed. */
  readonly takeovers?: number
  /** Publishes one in so many of the usual readings. Default 1. */
  readonly slower?: number
  /** What is done to workers and server. Default: everything, again and again. */
  readonly trouble?: (options: FaultOptions) => Promise<FaultCounts>
  readonly onProgress: (text: string) => void
}

export interface ChaosReport extends Omit<Verdict, 'examples'>, FaultCounts {
  /** Events whose publish was acknowledged and that are not in the stream. */
  readonly published: number
  readonly kills: number
  readonly takeovers: number
  readonly fenced: number
  /** Dead letters of messages that were begun whenever their process was killed: by chance, here. */
  readonly blamed: number
  readonly failures: readonly string[]
  readonly seconds: number
}

const WORKERS = 3
/** Slots and windows are over so long after the last event. */
const QUIET_MS = 4_000
/** For takeovers that are still to come. */
const LONGEST_MS = 120_000

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seconds, urls, server, onProgress, replicas = 1, trouble = makeTrouble } = options
  process.env['SOAK_REPLICAS'] = String(replicas) // the workers read the declaration too
  const deployment = await discover(join(import.meta.dirname, '..', 'streams'))
  const { streams } = deployment
  const connection = await connectTo(...urls)
  await applyStreams(connection, await planStreams(connection, streams))
  const [stream] = streams
  const contract = deployment.registry.get('sensor.read')
  if (stream === undefined || contract === undefined) throw new Error('soak/streams has no sensor.read')
  const counts: WorkerCounts = { fenced: 0, blamed: 0, errors: [] }
  const timeline = new Timeline()
  const workers = Array.from({ length: WORKERS }, () => new WorkerProcess(urls.join(','), counts, timeline))
  for (const worker of workers) worker.start()
  const [ending, enough] = [new AbortController(), new AbortController()]
  const began = performance.now()
  const processors = processorsOf(deployment)
  try {
    await untilClaimed(connection, stream.name, { units: (processors.length - 1) * 16 })
    const publishing = publishReadings(connection, stream, contract, ending.signal, options.slower)
    const timer = setTimeout(() => enough.abort(), seconds * 1_000)
    const latest = performance.now() + seconds * 1_000 + LONGEST_MS
    const onFault = (text: string): void =>
      onProgress(
        `${Math.round((performance.now() - began) / 1_000)} s  ${publishing.acknowledged.length} events  ${text}`,
      )
    const faults = await trouble({
      ...options,
      server,
      workers,
      timeline,
      signal: enough.signal,
      onFault,
      fenced: () => counts.fenced,
      more: () => timeline.takeovers < (options.takeovers ?? 0) && performance.now() < latest,
    })
    clearTimeout(timer)
    ending.abort() // there was something to do all the time
    await publishing.done
    for (const worker of workers) worker.start()
    onProgress('faults are over; waiting until everything is handled')
    await untilQuiet(QUIET_MS, {
      behind: () => lag(connection, processors),
      stored: () => lastSequences(connection, [stream.name]),
    })
    await Promise.all(workers.map((worker) => worker.stop()))
    const missing = await missingInputs(connection, stream.name, stream.root, publishing.acknowledged)
    const { examples, ...verdict } = await judge(connection, deployment.registry, processors, timeline)
    return {
      ...verdict,
      ...faults,
      lost: verdict.lost + missing,
      published: publishing.acknowledged.length,
      kills: faults.workerKills + faults.serverKills,
      takeovers: await takeovers(connection, stream.name),
      fenced: counts.fenced,
      blamed: counts.blamed,
      failures: [...examples, ...counts.errors.slice(0, 20)],
      seconds: Math.round((performance.now() - began) / 1_000),
    }
  } finally {
    ending.abort()
    await Promise.all(workers.map((worker) => worker.kill()))
    await connection.close()
  }
}

/** What was acknowledged and is not there; and what is there twice. */
async function missingInputs(
  connection: Connection,
  stream: string,
  root: string,
  acknowledged: readonly string[],
): Promise<number> {
  const stored = new Set<string>()
  let twice = 0
  for (const { headers } of await readAll(connection, stream, [`${root}.*.sensor.read`])) {
    const id = headers.get('ce-id') ?? ''
    if (stored.has(id)) twice += 1
    stored.add(id)
  }
  return acknowledged.filter((id) => !stored.has(id)).length + twice
}
