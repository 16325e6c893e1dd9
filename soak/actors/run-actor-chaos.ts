// The soak named actors: three workers share the accounts of soak/actor-streams while they and the server are killed and
// frozen. At the end every history is decided again, alone.
import { join } from 'node:path'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { commandStreamName } from '../../src/actor/command-stream.ts'
import { discover } from '../../src/runtime/discover.ts'
import { connectTo } from '../../test/support/broker.ts'
import { makeTrouble, type FaultCounts, type Victim } from '../chaos/faults.ts'
import { Timeline } from '../chaos/timeline.ts'
import { lastSequences, takeovers, untilClaimed, untilQuiet } from '../chaos/units.ts'
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
/** For a takeover that is still to come. */
const LONGEST_MS = 120_000

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
  const [ending, enough] = [new AbortController(), new AbortController()]
  const began = performance.now()
  try {
    await untilClaimed(connection, stream.name, { units: stream.partitions, part: '.actor-account.' })
    const perSecond = most / seconds
    const sending = sendCommands(connection, ledger.commands, { accounts, most, perSecond, signal: ending.signal })
    const timer = setTimeout(() => enough.abort(), seconds * 1_000)
    const latest = performance.now() + seconds * 1_000 + LONGEST_MS
    const onFault = (text: string): void =>
      onProgress(
        `${Math.round((performance.now() - began) / 1_000)} s  ${sending.acknowledged.length} commands  ${text}`,
      )
    const faults = await makeTrouble({
      ...options,
      workers,
      timeline,
      signal: enough.signal,
      onFault,
      fenced: () => counts.fenced,
      more: () => timeline.takeovers === 0 && performance.now() < latest,
    })
    clearTimeout(timer)
    ending.abort() // there was something to do all the time
    await sending.done
    for (const worker of workers) worker.start()
    onProgress('faults are over; waiting until everything is handled')
    const names = [stream.name, ledger.commands.name]
    // no timer is pending then either
    await untilQuiet(QUIET_MS, {
      behind: () => lagOf(connection, names),
      stored: () => lastSequences(connection, names),
    })
    await Promise.all(workers.map((worker) => worker.stop()))
    const { examples, ...verdict } = await judgeActors(connection, deployment.registry, ledger, sending.acknowledged)
    return {
      ...verdict,
      ...faults,
      kills: faults.workerKills + faults.serverKills,
      takeovers: await takeovers(connection, stream.name),
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

async function lagOf({ manager }: Connection, streams: readonly string[]): Promise<number> {
  let behind = 0
  for (const name of streams)
    for await (const { num_pending, num_ack_pending } of manager.consumers.list(name))
      behind += num_pending + num_ack_pending
  return behind
}
