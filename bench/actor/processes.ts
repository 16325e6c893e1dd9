// Actors in processes of their own: how two and four share the work, and how long nothing is decided when one is killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createActorClient } from '../../src/actor/actor-client.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { newId } from '../../src/broker/new-id.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { millraceProgram } from '../../test/support/program.ts'
import { fill } from '../payments.ts'
import { isWanted, measure, type BenchContext } from '../harness.ts'
import account, { Deposit } from '../actor-streams/ledger/actors/account.ts'
import { commandsFor, decidedPerSecond, FOLDER, freshLedger, pause, type BenchLedger } from './ledger.ts'

const COMMANDS = 60_000
const ACCOUNTS = 10_000
/** What the issue owes, in s. */
const MOST_PAUSE = 3

export async function workers(context: BenchContext): Promise<void> {
  for (const count of [2, 4])
    await measure(context, 'actor', {
      name: `actor.workers-${count}`,
      unit: 'commands/s',
      against: 'one worker process',
      candidate: () => shared(context.connection, count),
      baseline: () => shared(context.connection, 1),
    })
}

/** Commands come when every worker has its share of the partitions. */
async function shared(connection: Connection, count: number): Promise<number> {
  const ledger = await freshLedger(connection)
  const processes = await startWorkers(connection, ledger, count)
  try {
    await fill(connection, commandsFor(ledger, COMMANDS, ACCOUNTS))
    return await decidedPerSecond(connection, ledger, COMMANDS)
  } finally {
    for (const child of processes) child.kill('SIGKILL')
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
    candidate: async () => {
      const ledger = await freshLedger(connection)
      const [doomed, ...others] = await startWorkers(connection, ledger, 2)
      const longest = await longestOutcome(other, ledger, () => doomed?.kill('SIGKILL'))
      for (const child of others) child.kill('SIGKILL')
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
