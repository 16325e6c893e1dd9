// What every bench shares: a server of its own on a temporary store, interleaved rounds, medians, one line per case.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectBroker, type Connection } from '../src/broker/connection.ts'
import { startEmbeddedServer } from '../src/broker/embedded-server.ts'
import { resolveServerBinary } from '../src/broker/server-binary.ts'
import { systemClock } from '../src/time/system-clock.ts'

/** One measured case. `value` and `baseline` are medians in `unit`; `ratio` is the median of the rounds’ ratios. */
export interface Result {
  readonly bench: string
  readonly case: string
  readonly value: number
  readonly unit: string
  readonly baseline: number
  readonly ratio: number
  readonly runs: number
  /** What the baseline is. */
  readonly against: string
}

export interface Case {
  readonly name: string
  readonly unit: string
  readonly against: string
  /** Both sides begin with nothing, in processes of their own or by counting: no round before the measured ones. */
  readonly fresh?: boolean
  /** What shows both sides to the compilers, where less than a whole round does. */
  readonly warmUp?: () => Promise<void>
  /** Prepares one round for both sides, outside the measurement. */
  readonly prepare?: () => Promise<void>
  /** Each does the same work once and returns how much of it, in `unit` per second. */
  readonly candidate: () => Promise<number>
  readonly baseline: () => Promise<number>
}

export interface Rounds {
  readonly rounds: number
  /** Cases to measure; none: all of them. */
  readonly cases: readonly string[]
  /** Whether to measure others that do the same, which have to be had first. */
  readonly peers: boolean
  readonly report: (result: Result) => void
}

export interface BenchContext extends Rounds {
  readonly connection: Connection
  /** A second connection, where a baseline must not share the first one’s. */
  readonly other: Connection
  /** Process number of the server. */
  readonly serverPid: number
}

export type Bench = (context: BenchContext) => Promise<void>
/** A bench that needs no server. */
export type PureBench = (context: Rounds) => Promise<void>

/** Whether one of these cases was asked for. */
export function isWanted({ cases }: Rounds, ...names: readonly string[]): boolean {
  return cases.length === 0 || names.some((name) => cases.includes(name))
}

/** Runs rounds of a case, candidate and baseline in turn (whoever goes first alternates), and reports the medians. */
export async function measure(context: Rounds, bench: string, item: Case): Promise<void> {
  if (!isWanted(context, item.name)) return
  const values: number[] = []
  const baselines: number[] = []
  if (item.warmUp !== undefined) await item.warmUp()
  else if (item.fresh !== true) {
    await item.prepare?.()
    // one unmeasured round: the compilers of both sides have seen the code
    await item.candidate()
    await item.baseline()
  }
  for (let round = 0; round < context.rounds; round++) {
    const sides = round % 2 === 0 ? [item.candidate, item.baseline] : [item.baseline, item.candidate]
    for (const side of sides) {
      await item.prepare?.()
      const value = await side()
      if (side === item.candidate) values.push(value)
      else baselines.push(value)
    }
  }
  context.report({
    bench,
    case: item.name,
    value: round3(median(values)),
    unit: item.unit,
    baseline: round3(median(baselines)),
    ratio: round3(median(values.map((value, at) => value / (baselines[at] ?? Number.NaN)))),
    runs: context.rounds,
    against: item.against,
  })
}

/** Starts a server for one bench run; everything it left is removed afterwards. */
export async function withServer(
  work: (connection: Connection, other: Connection, serverPid: number) => Promise<void>,
  settings: { readonly syncAlways?: boolean } = {},
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const { path } = await resolveServerBinary({
    env: process.env,
    clock: systemClock,
    signal: new AbortController().signal,
  })
  const config = settings.syncAlways === true ? 'jetstream { sync_interval: always }\n' : ''
  const server = await startEmbeddedServer({ binary: path, dataDir, clock: systemClock, config })
  const open = (name: string): Promise<Connection> =>
    connectBroker({ servers: [server.url], auth: { kind: 'none' }, name, timeout: 10_000, origin: 'bench' })
  try {
    const connection = await open('bench')
    const other = await open('bench-baseline')
    await work(connection, other, server.pid)
    await connection.close()
    await other.close()
  } finally {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

export function round3(value: number): number {
  return value >= 1_000 ? Math.round(value) : Math.round(value * 1_000) / 1_000
}

/** Runs `work`, which handles `count` items, and gives items per second. */
export async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return count / ((performance.now() - started) / 1_000)
}
