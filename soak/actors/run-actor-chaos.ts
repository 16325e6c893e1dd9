// The soak named actors: three workers share the accounts of soak/actor-streams while they and the server are killed and
// frozen. At the end every history is decided again, alone.
import { join } from 'node:path'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { readLastMessages } from '../../src/broker/last-messages.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { commitFilter } from '../../src/broker/system-subject.ts'
import { commandStreamName } from '../../src/actor/command-stream.ts'
import { decodeCommitRecord } from '../../src/kernel/commit-record.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo } from '../../test/support/broker.ts'
import { makeTrouble, type FaultCounts, type Victim } from '../chaos/faults.ts'
import { Timeline } from '../chaos/timeline.ts'
import { WorkerProcess, type WorkerCounts } from '../chaos/worker-process.ts'
import { sendCommands } from './commanding.ts'
import { judgeActors, type ActorVerdict, type Ledger } from './oracle.ts'

export interface ActorChaosOptions {
  readonly seconds: number
  readonly urls: readonly string[]
  readonly server: Victim
  /** Seconds between two kills of the server. */
  readonly serverEvery: number
  readonly accounts: number
  /** Commands at most, spread over the time. */
  readonly commands: number
  readonly onProgress: (text: string) => void
}

export interface ActorChaosReport extends Omit<ActorVerdict, 'examples'>, FaultCounts {
  readonly kills: number
  readonly takeovers: number
  readonly fenced: number
  readonly failures: readonly string[]
  readonly seconds: number
}

const FOLDER = 'soak/actor-streams'
const WORKERS = 3
/** Longer than the longest timer. */
const QUIET_MS = 5_000
/** Limits for a machine that has other things to do. */
const START_LIMIT_MS = 120_000
const END_LIMIT_MS = 240_000

export async function runActorChaos(options: ActorChaosOptions): Promise<ActorChaosReport> {
  const { seconds, urls, accounts, commands: most, onProgress } = options
  const deployment = await discover(join(import.meta.dirname, '..', '..', FOLDER))
  const connection = await connectTo(...urls)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const stream = streamOf(deployment.streams, 'LEDGER')
  const ledger: Ledger & { readonly commands: StreamDeclaration } = {
    stream,
    commands: streamOf(deployment.streams, commandStreamName('LEDGER')),
  }
  const counts: WorkerCounts = { fenced: 0, blamed: 0, errors: [] }
  const timeline = new Timeline()
  const workers = Array.from({ length: WORKERS }, () => new WorkerProcess(urls.join(','), counts, timeline, FOLDER))
  for (const worker of workers) worker.start()
  const ending = new AbortController()
  const began = performance.now()
  try {
    await untilClaimed(connection, stream)
    const perSecond = most / seconds
    const sending = sendCommands(connection, ledger.commands, { accounts, most, perSecond, signal: ending.signal })
    const timer = setTimeout(() => ending.abort(), seconds * 1_000)
    const onFault = (text: string): void =>
      onProgress(
        `${Math.round((performance.now() - began) / 1_000)} s  ${sending.acknowledged.length} commands  ${text}`,
      )
    const faults = await makeTrouble({ ...options, workers, timeline, signal: ending.signal, onFault })
    clearTimeout(timer)
    await sending.done
    for (const worker of workers) worker.start()
    onProgress('faults are over; waiting until everything is handled')
    await untilQuiet(connection, ledger)
    await Promise.all(workers.map((worker) => worker.stop()))
    const { examples, ...verdict } = await judgeActors(connection, deployment.registry, ledger, sending.acknowledged)
    return {
      ...verdict,
      ...faults,
      kills: faults.workerKills + faults.serverKills,
      takeovers: await takeovers(connection, stream),
      fenced: counts.fenced,
      failures: [...examples, ...counts.errors.slice(0, 20)],
      seconds: Math.round((performance.now() - began) / 1_000),
    }
  } finally {
    ending.abort()
    await Promise.all(workers.map((worker) => worker.kill()))
    await connection.close()
  }
}

function streamOf(streams: readonly StreamDeclaration[], name: string): StreamDeclaration {
  const found = streams.find((stream) => stream.name === name)
  if (found === undefined) throw new Error(`${FOLDER} has no stream ${name}`)
  return found
}

async function untilClaimed(connection: Connection, { name, partitions }: StreamDeclaration): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS
  for (;;) {
    const records = await readLastMessages(connection, systemClock, name, commitFilter(name))
    if ([...records.keys()].filter((subject) => subject.includes('.actor-account.')).length >= partitions) return
    if (performance.now() > deadline) throw new Error(`only ${records.size} units have started in time`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Nothing is behind, no timer is pending, and nothing has been stored for a while. */
async function untilQuiet(connection: Connection, { stream, commands }: Ledger): Promise<void> {
  const deadline = performance.now() + END_LIMIT_MS
  let quietSince = performance.now()
  let last = ''
  while (performance.now() - quietSince < QUIET_MS) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    const behind = await lagOf(connection, [stream.name, commands.name]).catch(() => -1)
    const now = await lastSequences(connection, [stream.name, commands.name]).catch(() => '')
    if (behind !== 0 || now !== last) quietSince = performance.now()
    last = now
    if (performance.now() > deadline) throw new Error(`after ${END_LIMIT_MS} ms ${behind} messages are still behind`)
  }
}

async function lagOf({ manager }: Connection, streams: readonly string[]): Promise<number> {
  let behind = 0
  for (const name of streams)
    for await (const { num_pending, num_ack_pending } of manager.consumers.list(name))
      behind += num_pending + num_ack_pending
  return behind
}

async function lastSequences({ manager }: Connection, streams: readonly string[]): Promise<string> {
  const states = await Promise.all(streams.map((name) => manager.streams.info(name)))
  return states.map(({ state }) => state.last_seq).join(' ')
}

/** Claims beyond the first of each unit. */
async function takeovers(connection: Connection, { name }: StreamDeclaration): Promise<number> {
  const records = await readLastMessages(connection, systemClock, name, commitFilter(name))
  let claims = 0
  for (const [subject, { data }] of records) claims += decodeCommitRecord(data, subject).generation - 1
  return claims
}
