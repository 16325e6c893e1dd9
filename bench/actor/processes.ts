// Actors in processes of their own: how two and four share the work, and how long nothing is decided when one is killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createActorClient } from '../../src/actor/actor-client.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { newId } from '../../src/broker/new-id.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { millraceProgram } from '../../test/support/program.ts'
import { fill } from '../payments.ts'
import { isWanted, measure, median, round3, type BenchContext } from '../harness.ts'
import account, { Deposit } from '../actor-streams/ledger/actors/account.ts'
import { commandsFor, decidedPerSecond, FOLDER, freshLedger, pause, removeLedger, type BenchLedger } from './ledger.ts'

const COMMANDS = 60_000
const ACCOUNTS = 10_000
/** What the issue owes, in s. */
const MOST_PAUSE = 3

/** One, two and four in turn, in every round. */
export async function workers(context: BenchContext): Promise<void> {
  const wanted = [2, 4].filter((count) => isWanted(context, `actor.workers-${count}`))
  if (wanted.length === 0) return
  const rates = new Map<number, number[]>([1, ...wanted].map((count) => [count, []]))
  for (let round = 0; round < context.rounds; round++) {
    const order = [...rates.keys()]
    if (round % 2 === 1) order.reverse()
    for (const count of order) rates.get(count)?.push(await shared(context.connection, count))
  }
  const single = rates.get(1) ?? []
  for (const count of wanted) {
    const values = rates.get(count) ?? []
    context.report({
      bench: 'actor',
      case: `actor.workers-${count}`,
      value: round3(median(values)),
      unit: 'commands/s',
      baseline: round3(median(single)),
      ratio: round3(median(values.map((value, at) => value / (single[at] ?? Number.NaN)))),
      runs: context.rounds,
      against: 'one worker process',
    })
  }
}

/** Commands come when every worker has its share of the partitions. */
async function shared(connection: Connection, count: number): Promise<number> {
  const ledger = await freshLedger(connection)
  const processes = await startWorkers(connection, ledger, count)
  try {
    await fill(connection, commandsFor(ledger, COMMANDS, ACCOUNTS))
    return await decidedPerSecond(connection, ledger, COMMANDS)
  } finally {
    await end(processes)
    await removeLedger(connection, ledger)
  }
}

/** One of two workers is killed while every partition has commands: the longest that an outcome took then. */
export async function takeover(context: BenchContext): Promise<void> {
  if (!isWanted(context, 'actor.takeover')) return
  const { connection, other } = context
  await measure(context, 'actor', {
    name: 'actor.takeover',
    unit: 's',
    against: 'what is owed: 3 s',
    fresh: true,
    candidate: async () => {
      const ledger = await freshLedger(connection)
      const [doomed, ...others] = await startWorkers(connection, ledger, 2)
      const longest = await longestOutcome(other, ledger, () => doomed?.kill('SIGKILL'))
      await end(others)
      await removeLedger(connection, ledger)
      return longest / 1_000
    },
    baseline: async () => MOST_PAUSE,
  })
}

async function longestOutcome(connection: Connection, ledger: BenchLedger, kill: () => void): Promise<number> {
  const homes = [{ actor: 'account', records: ledger.stream, commands: ledger.commands }]
  const client = createActorClient({ connection, clock: systemClock, newId, homes })
  const accounts = client.actor(account)
  let longest = 0
  const pending: Promise<void>[] = []
  const ask = async (n: number): Promise<void> => {
    const from = performance.now()
    const deposit = Deposit({ account: `a${n % 200}`, amount: 1, reference: `r${n}`, currency: 'EUR' })
    await accounts.request(deposit, { timeout: '60s' })
    if (n > 200) longest = Math.max(longest, performance.now() - from)
  }
  for (let n = 0; n < 1_200; n++) {
    pending.push(ask(n))
    if (n === 400) kill()
    await pause(5)
  }
  await Promise.all(pending)
  client.close()
  return longest
}

/** Kills them, and waits until they are gone. */
async function end(processes: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    processes.map((child) => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      return child.kill('SIGKILL') ? gone : undefined
    }),
  )
}

async function startWorkers(connection: Connection, ledger: BenchLedger, count: number): Promise<ChildProcess[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const env = {
        ...process.env,
        NATS_URL: connection.nats.getServer(),
        BENCH_STREAM: ledger.stream.name,
        NO_COLOR: '1',
      }
      const child = spawn(process.execPath, [...millraceProgram(), 'run', '--streams', FOLDER, '--json'], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      await new Promise<void>((resolve, reject) => {
        child.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)))
        for (const lines of [child.stdout, child.stderr])
          createInterface({ input: lines }).on('line', (line) => (line.includes('ready') ? resolve() : undefined))
      })
      return child
    }),
  ).then(async (all) => {
    await pause(2_000) // their shares are even by then
    return all
  })
}
