// The soak named delivery: three workers share the handlers of soak/delivery-streams while they, their links, the server and
// the database are killed, frozen, cut and slowed down. Every event ends once.
import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { sqlInbox } from '../../src/outbox/sql-inbox.ts'
import { discover } from '../../src/runtime/discover.ts'
import { pgClient } from '../../src/sql/pg-client.ts'
import { connectTo, eventually } from '../../test/support/broker.ts'
import { linkTo } from '../../test/support/link.ts'
import { temporaryDirectory } from '../../test/support/nats.ts'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import type { Victim } from '../chaos/faults.ts'
import { Timeline } from '../chaos/timeline.ts'
import { lastSequences, untilQuiet } from '../chaos/units.ts'
import { WorkerProcess, type WorkerCounts } from '../chaos/worker-process.ts'
import { readEffects, readJudgedLetters, readLetters, readParked, type Places } from './evidence.ts'
import { judgeDelivery, type DeliveryVerdict, type Published } from './judge.ts'
import { EFFECTS_TABLE, openPool } from './ledger.ts'
import { Redriving } from './redriving.ts'
import { Sending } from './sending.ts'
import { makeDeliveryTrouble, type DeliveryFaults } from './trouble.ts'

export interface DeliveryChaosOptions {
  readonly seconds: number
  readonly url: string
  readonly server: Victim
  /** Seconds between two kills of the server. */
  readonly serverEvery: number
  readonly perSecond: number
  readonly onProgress: (text: string) => void
}

export interface DeliveryChaosReport extends Omit<DeliveryVerdict, 'examples'>, DeliveryFaults {
  readonly kills: number
  /** Whether there was a database, or why not. */
  readonly database: string
  /** From when everything was healed until each handler had handled what was published then, in ms. */
  readonly answeredMs: number
  /** And until nothing was left to do. */
  readonly quietMs: number
  /** The longest time from when a killed server was back until a handler had an effect, in ms. */
  readonly longestRecoveryMs: number
  readonly failures: readonly string[]
  readonly seconds: number
}

const FOLDER = 'soak/delivery-streams'
const STREAMS = ['ERRANDS', 'ERRANDS_WORK', 'RESULTS', 'DEAD_LETTERS']
const WORKERS = 3
const QUIET_MS = 1_500
/** After healing it answers within this time. */
export const ANSWER_LIMIT_MS = 30_000
const START_LIMIT_MS = 240_000
/** A machine that others use too takes so many times as long. */
const BUSY = 4
/** An errand that ends its process takes so long until it is a dead letter, in ms. */
const KILLER_MS = 25_000
const KILLER_EVERY_MS = 40_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function runDeliveryChaos(options: DeliveryChaosOptions): Promise<DeliveryChaosReport> {
  const { seconds, url, perSecond, onProgress } = options
  const began = performance.now()
  const database = await databaseOf(onProgress)
  const deployment = await discover(join(import.meta.dirname, '..', '..', FOLDER))
  const connection = await connectTo(url)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const file = join(await temporaryDirectory(), 'ledger.ndjson')
  const places: Places = { connection, deployment, file, pool: database?.pool }
  const counts: WorkerCounts = { fenced: 0, blamed: 0, errors: [] }
  const timeline = new Timeline()
  const links = await Promise.all(Array.from({ length: WORKERS }, () => linkTo(url)))
  const env = { SOAK_LEDGER: file, SOAK_POSTGRES: database?.server.url ?? '' }
  const workers = links.map((link) => new WorkerProcess(link.url, counts, timeline, FOLDER, env))
  for (const worker of workers) worker.start()
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  const stream = deployment.streams.find(({ name }) => name === 'ERRANDS')
  if (stream === undefined) throw new Error(`${FOLDER} has no stream ERRANDS`)
  const sending = new Sending(connection, stream)
  const redriving = new Redriving(connection, deployment)
  try {
    await answers(places, sending, START_LIMIT_MS)
    onProgress(`all handlers answer after ${Math.round(performance.now() - began)} ms`)
    const faults = trouble({ ...options, workers, links, timeline, database: database?.server, signal: ending.signal })
    const timer = setTimeout(() => ending.abort(), seconds * 1_000)
    const killersAt = killerTimes(seconds)
    const [counted] = await Promise.all([
      faults,
      sending.run({ perSecond, signal: ending.signal, killersAt, behind: () => behind(connection) }),
      redriving.run(ending.signal),
    ])
    clearTimeout(timer)
    for (const worker of workers) worker.start()
    onProgress('faults are over; waiting for errands that end processes')
    await untilKillersEnded(connection, sending.published)
    const healed = Date.now()
    onProgress('everything is healed; waiting until everything is handled')
    const answeredMs = await answers(places, sending, BUSY * ANSWER_LIMIT_MS)
    const limit = AbortSignal.timeout(2 * BUSY * ANSWER_LIMIT_MS)
    setMaxListeners(0, limit)
    await redriving.finish(limit)
    const judgeNow = (): Promise<DeliveryVerdict> => verdictOf(places, sending, timeline)
    await untilQuiet(QUIET_MS, {
      behind: () => behind(connection),
      stored: () => lastSequences(connection, STREAMS),
    })
    // what an ordered handler has in memory shows nowhere but in what is not done yet
    const end = performance.now() + BUSY * ANSWER_LIMIT_MS
    while ((await judgeNow()).lost > 0 && performance.now() < end) await pause(500)
    const quietMs = Date.now() - healed - QUIET_MS
    await Promise.all(workers.map((worker) => worker.stop()))
    const { examples, ...verdict } = await judgeNow()
    return {
      ...verdict,
      ...counted,
      kills: counted.workerKills + counted.serverKills + counted.databaseKills,
      database: database === undefined ? 'none: its effects are lines of a file' : 'PostgreSQL',
      answeredMs,
      quietMs,
      longestRecoveryMs: longestRecovery(
        timeline.returns,
        (await readEffects(places)).map(({ at }) => at),
      ),
      failures: [...examples, ...redriving.refusals.slice(0, 5), ...counts.errors.slice(0, 20)],
      seconds: Math.round((performance.now() - began) / 1_000),
    }
  } finally {
    ending.abort()
    sending.close()
    await Promise.all(workers.map((worker) => worker.kill()))
    await database?.pool.end()
    await connection.close()
  }
}

async function verdictOf(places: Places, sending: Sending, timeline: Timeline): Promise<DeliveryVerdict> {
  return judgeDelivery({
    published: sending.published,
    effects: await readEffects(places),
    letters: await readJudgedLetters(places.connection),
    parked: await readParked(places),
    ordered: ['queue', 'file'],
    disturbed: (pid, from, until) => timeline.disturbed(String(pid), from, until),
  })
}

/**
 * Errands that end their process are faults as well, for as long as they are no dead letters. They are tried alone, one
 * after the other, and each ends a process three times: where faults have kept them from that, many may be left.
 */
async function untilKillersEnded(connection: Connection, published: readonly Published[]): Promise<void> {
  const killers = published.filter(({ data }) => data.how === 'kill')
  const alive = async (): Promise<readonly string[]> => {
    const dead = new Set((await readLetters(connection)).map(({ id }) => id))
    return killers.filter(({ id }) => !dead.has(id)).map(({ id }) => id)
  }
  let left = await alive().catch(() => killers.map(({ id }) => id)) // the server may be about to come back
  await eventually(
    'what ends processes is a dead letter',
    async () => {
      left = await alive()
      return left.length === 0 ? true : void (await pause(200))
    },
    (left.length + 2) * BUSY * KILLER_MS,
  ).catch(async (cause: unknown) => {
    throw new Error(`no dead letter of ${left.join(', ')}; ${await behind(connection)} not handled`, { cause })
  })
}

async function databaseOf(onProgress: (text: string) => void) {
  let server: TestPostgres
  try {
    server = await startPostgres()
  } catch (error) {
    onProgress(`no PostgreSQL here, its effects go to a file: ${String(error).split('\n')[0]}`)
    return undefined
  }
  const pool = openPool(server.url, 2)
  await sqlInbox({ name: 'soak' }).prepare(pgClient(pool))
  const columns = 'seq bigserial, handler text, id text, key text, n int, pid int, at float8'
  await pool.query(`create table ${EFFECTS_TABLE} (${columns})`)
  return { server, pool }
}

function trouble(options: DeliveryChaosOptions & Omit<Parameters<typeof makeDeliveryTrouble>[0], 'onFault'>) {
  const began = performance.now()
  const onFault = (text: string): void =>
    options.onProgress(`${Math.round((performance.now() - began) / 1_000)} s  ${text}`)
  return makeDeliveryTrouble({ ...options, onFault })
}

/** Every 40 s, and once at least; each has the time to become a dead letter. */
function killerTimes(seconds: number): number[] {
  const last = Math.max(1, seconds * 1_000 - KILLER_MS)
  return Array.from({ length: Math.ceil(last / KILLER_EVERY_MS) }, (_, at) => 3_000 + at * KILLER_EVERY_MS)
}

/** How long it takes until each handler has handled an event. */
async function answers(places: Places, sending: Sending, limitMs: number): Promise<number> {
  const began = performance.now()
  const asked = await sending.probe()
  const ids = new Set(asked.map(({ handler, id }) => `${handler} ${id}`))
  await eventually(
    'every handler answers',
    async () => {
      for (const { handler, id } of await readEffects(places).catch(() => [])) ids.delete(`${handler} ${id}`)
      if (ids.size === 0) return true
      return void (await pause(200))
    },
    limitMs,
  ).catch((error: unknown) => {
    throw new Error(`no answer to ${[...ids].join(', ')}`, { cause: error })
  })
  return Math.round(performance.now() - began)
}

/** Messages that are not handled yet, and those that wait for another attempt. */
async function behind({ manager }: Connection): Promise<number> {
  let count = 0
  for (const name of ['ERRANDS', 'ERRANDS_WORK'])
    for await (const { num_pending, num_ack_pending } of manager.consumers.list(name))
      count += num_pending + num_ack_pending
  const filter = 'millrace.ERRANDS_WORK.delayed.>'
  const { state } = await manager.streams.info('ERRANDS_WORK', { subjects_filter: filter })
  return count + Object.keys(state.subjects ?? {}).length
}

function longestRecovery(returns: readonly number[], effects: readonly number[]): number {
  const sorted = [...effects].sort((a, b) => a - b)
  const waits = returns.map((at) => (sorted.find((effect) => effect > at) ?? Number.POSITIVE_INFINITY) - at)
  return Math.round(Math.max(0, ...waits))
}
