// Actors: commands in a stream, decided in order, each aggregate’s record committed with the position. Baseline: the loop
// that one would write by hand, an append on condition for each command, awaited.
import type { Connection } from '../../src/broker/connection.ts'
import { fill } from '../payments.ts'
import { isWanted, measure, perSecond, withServer, type Bench, type BenchContext } from '../harness.ts'
import { costs } from './costs.ts'
import { latency } from './latency.ts'
import { commandsFor, decidedPerSecond, freshLedger, removeLedger, startRuntime } from './ledger.ts'
import { rawAppends } from './raw-append.ts'
import { takeover, workers } from './processes.ts'

const COMMANDS = 100_000
const ACCOUNTS = 10_000
const APPENDS = 10_000
/** Of each, before what is measured. */
const WARM = 0.2

export const actor: Bench = async (context) => {
  await commands(context, 'actor.commands')
  if (isWanted(context, 'actor.commands-sync-always'))
    await withServer(
      async (connection, other) => commands({ ...context, connection, other }, 'actor.commands-sync-always'),
      { syncAlways: true },
    )
  await latency(context)
  await workers(context)
  await takeover(context)
  await costs(context)
}

async function commands(context: BenchContext, name: string): Promise<void> {
  const { connection, other } = context
  await measure(context, 'actor', {
    name,
    unit: 'commands/s',
    against: `publish with an expected sequence, awaited, ${ACCOUNTS.toLocaleString('en')} aggregates`,
    warmUp: async () => {
      await oneWorker(connection, WARM * COMMANDS)
      await rawAppends(other, WARM * APPENDS, ACCOUNTS)
    },
    candidate: () => oneWorker(connection, COMMANDS),
    baseline: () => perSecond(APPENDS, async () => void (await rawAppends(other, APPENDS, ACCOUNTS))),
  })
}

async function oneWorker(connection: Connection, count: number): Promise<number> {
  const ledger = await freshLedger(connection)
  await fill(connection, commandsFor(ledger, count, ACCOUNTS))
  const runtime = await startRuntime(connection, ledger)
  const rate = await decidedPerSecond(connection, ledger, count)
  await runtime.stop()
  await removeLedger(connection, ledger)
  return rate
}
