import { startCluster } from '../test/support/cluster.ts'
import { ownServer } from '../test/support/nats.ts'
import { makeLongSleep, makeOutage, type Victim } from './chaos/faults.ts'
import { runChaos, type ChaosReport } from './chaos/run-chaos.ts'
import { runActorChaos } from './actors/run-actor-chaos.ts'
import { ANSWER_LIMIT_MS, runDeliveryChaos } from './delivery/run-delivery-chaos.ts'
import { soakProperties } from './properties.ts'

export interface SoakOptions {
  readonly seconds: number | undefined
  readonly runs: number | undefined
  readonly seed: number | undefined
  readonly onProgress: (text: string) => void
}

export type SoakReport = { readonly ok: boolean } & Readonly<Record<string, unknown>>

interface Soak {
  readonly about: string
  run(options: SoakOptions): Promise<SoakReport>
}

const CHAOS_SECONDS = 300
const DELIVERY_SECONDS = 600
const ERRANDS_PER_SECOND = 80
const CLUSTER_SECONDS = 120
const OUTAGE_MS = 60_000
const SLEEP_MS = 30_000
const STREAM = 'CHAOS'
const ACCOUNTS = 5_000
const ACTOR_COMMANDS = 200_000
/** About 100 readings a second: what two cores keep up with while they start a process every three seconds. */
const SLOWER = 4

export const soaks: Readonly<Record<string, Soak>> = {
  chaos: {
    about: 'three workers and a server, killed and frozen; outputs as of an uninterrupted run (default 300 s)',
    run: chaos,
  },
  properties: {
    about: 'chains of operators and the kernel over random crashes, and broken protocols (default 200,000 chains)',
    run: soakProperties,
  },
  cluster: {
    about: 'the same on a cluster of three nodes, the leader of the stream killed again and again (default 120 s)',
    run: cluster,
  },
  actors: {
    about: 'the same with actors: 5,000 accounts, 200,000 commands, timers and steps (default 300 s)',
    run: actors,
  },
  delivery: {
    about: 'handlers in three processes; links are cut and slowed down, PostgreSQL is killed too (default 600 s)',
    run: delivery,
  },
  'server-away': {
    about: 'the server is away for a minute, under load (80 s)',
    run: ({ seconds = 80, onProgress }) =>
      single({ seconds, slower: SLOWER, trouble: makeOutage, onProgress }, OUTAGE_MS),
  },
  zombie: {
    about: 'a worker is frozen for 30 s and wakes when others have its units (45 s)',
    run: ({ seconds = 45, onProgress }) =>
      single({ seconds, slower: SLOWER, trouble: (options) => makeLongSleep(options, SLEEP_MS), onProgress }),
  },
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function chaos({ seconds = CHAOS_SECONDS, onProgress }: SoakOptions): Promise<SoakReport> {
  return single({ seconds, slower: SLOWER, onProgress })
}

async function actors({ seconds = CHAOS_SECONDS, onProgress }: SoakOptions): Promise<SoakReport> {
  const { url, victim } = await singleServer()
  const commands = Math.round((seconds / CHAOS_SECONDS) * ACTOR_COMMANDS)
  const settings = { seconds, urls: [url], server: victim, serverEvery: 20, accounts: ACCOUNTS, commands, onProgress }
  const report = await runActorChaos(settings)
  const { lost, duplicated, different, outOfOrder, gaps } = report
  return { ok: lost + duplicated + different + outOfOrder + gaps === 0 && report.events > 0, ...report }
}

async function delivery({ seconds = DELIVERY_SECONDS, onProgress }: SoakOptions): Promise<SoakReport> {
  const { url, victim } = await singleServer()
  const report = await runDeliveryChaos({
    seconds,
    url,
    server: victim,
    serverEvery: 20,
    perSecond: ERRANDS_PER_SECOND,
    onProgress,
  })
  const { lost, doubled, both, different, outOfOrder, answeredMs } = report
  const ok = lost + doubled + both + different + outOfOrder === 0 && report.effects > 0 && answeredMs < ANSWER_LIMIT_MS
  return { ok, ...report }
}

/** A server that is killed, and is back after a while. */
async function singleServer(awayMs?: number): Promise<{ readonly url: string; readonly victim: Victim }> {
  const server = await ownServer()
  const victim: Victim = {
    killAndRestart: async (onBack) => {
      await server.kill()
      await wait(awayMs ?? 500 + Math.random() * 2_000)
      await server.restart()
      onBack()
    },
  }
  return { url: server.url, victim }
}

async function single(
  options: Pick<Parameters<typeof runChaos>[0], 'seconds' | 'slower' | 'trouble' | 'onProgress'>,
  awayMs?: number,
): Promise<SoakReport> {
  const { url, victim } = await singleServer(awayMs)
  return judged(await runChaos({ ...options, urls: [url], server: victim, serverEvery: 20 }))
}

async function cluster({ seconds = CLUSTER_SECONDS, onProgress }: SoakOptions): Promise<SoakReport> {
  const { urls, leaderOf, healthy } = await startCluster()
  const victim: Victim = {
    killAndRestart: async (onBack) => {
      const leader = await leaderOf(STREAM)
      await leader.kill()
      while ((await leaderOf(STREAM)).name === leader.name) await wait(50)
      onBack()
      await wait(1_000 + Math.random() * 2_000)
      await leader.restart()
      await healthy(STREAM)
    },
  }
  return judged(
    await runChaos({ seconds, urls, server: victim, serverEvery: 20, replicas: 3, slower: SLOWER, onProgress }),
  )
}

function judged(report: ChaosReport): SoakReport {
  const { lost, duplicated, different, outOfOrder } = report
  return { ok: lost + duplicated + different + outOfOrder === 0 && report.outputs > 0, ...report }
}
