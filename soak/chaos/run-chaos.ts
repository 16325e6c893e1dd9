// The soak named chaos: three workers share every unit of soak/streams while they and the server are killed and frozen.
// At the end everything that was stored is compared with an uninterrupted run over the same log and journal.
import { join } from 'node:path'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { readLastMessages } from '../../src/broker/last-messages.ts'
import { commitFilter } from '../../src/broker/system-subject.ts'
import { decodeCommitRecord } from '../../src/kernel/commit-record.ts'
import { discover } from '../../src/runtime/discover.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { lag } from '../../demo/positions.ts'
import { connectTo } from '../../test/support/broker.ts'
import { readAll } from '../../test/support/events.ts'
import { makeTrouble, type FaultCounts, type FaultOptions, type Victim } from './faults.ts'
import { judge, type Verdict } from './oracle.ts'
import { publishReadings } from './publishing.ts'
import { Timeline } from './timeline.ts'
import { WorkerProcess, type WorkerCounts } from './worker-process.ts'

export interface ChaosOptions {
  readonly seconds: number
  /** Of the server, or of the nodes of its cluster. */
  readonly urls: readonly string[]
  readonly server: Victim
  /** Seconds between two kills of the server. */
  readonly serverEvery: number
  readonly replicas?: 1 | 3
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
/** Limits for a machine that has other things to do. */
const START_LIMIT_MS = 120_000
const END_LIMIT_MS = 240_000

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
  const ending = new AbortController()
  const began = performance.now()
  const processors = processorsOf(deployment)
  try {
    await untilRunning(connection, stream.name, processors.length)
    const publishing = publishReadings(connection, stream, contract, ending.signal, options.slower)
    const timer = setTimeout(() => ending.abort(), seconds * 1_000)
    const onFault = (text: string): void =>
      onProgress(
        `${Math.round((performance.now() - began) / 1_000)} s  ${publishing.acknowledged.length} events  ${text}`,
      )
    const faults = await trouble({ ...options, server, workers, timeline, signal: ending.signal, onFault })
    clearTimeout(timer)
    await publishing.done
    for (const worker of workers) worker.start()
    onProgress('faults are over; waiting until everything is handled')
    await untilQuiet(connection, processors)
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

async function untilRunning(connection: Connection, stream: string, processors: number): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS
  for (;;) {
    const records = await readLastMessages(connection, systemClock, stream, commitFilter(stream))
    if (records.size >= (processors - 1) * 16) return
    if (performance.now() > deadline) throw new Error(`only ${records.size} units have started in time`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Nothing is behind, and nothing has been stored for a while. */
async function untilQuiet(connection: Connection, processors: Parameters<typeof lag>[1]): Promise<void> {
  const deadline = performance.now() + END_LIMIT_MS
  let quietSince = performance.now()
  let last = -1
  while (performance.now() - quietSince < QUIET_MS) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    const behind = await lag(connection, processors).catch(() => 1)
    const { state } = await connection.manager.streams.info(processors[0]?.to.stream.name ?? '')
    if (behind > 0 || state.last_seq !== last) quietSince = performance.now()
    last = state.last_seq
    if (performance.now() > deadline) throw new Error(`after ${END_LIMIT_MS} ms ${behind} messages are still behind`)
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

/** Claims beyond the first of each unit. */
async function takeovers(connection: Connection, stream: string): Promise<number> {
  const records = await readLastMessages(connection, systemClock, stream, commitFilter(stream))
  let claims = 0
  for (const [subject, { data }] of records) claims += decodeCommitRecord(data, subject).generation - 1
  return claims
}
