// From the sender’s request to the outcome that it gets, at a thousand commands a second. Baseline: the appends that one
// would await by hand at the same rate, in the same way.
import { createActorClient } from '../../src/actor/actor-client.ts'
import { newId } from '../../src/broker/new-id.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { isWanted, median, round3, type BenchContext } from '../harness.ts'
import account, { Deposit } from '../actor-streams/ledger/actors/account.ts'
import { freshLedger, pause, removeLedger, startRuntime } from './ledger.ts'
import { rawAppends } from './raw-append.ts'

const PER_SECOND = 1_000
const COUNT = 5_000
const ACCOUNTS = 1_000
/** Requests before those that are measured. */
const WARM = 500

export async function latency(context: BenchContext): Promise<void> {
  if (!isWanted(context, 'actor.latency-p50', 'actor.latency-p99')) return
  const rounds: { ours: readonly number[]; raw: readonly number[] }[] = []
  for (let round = 0; round < context.rounds; round++) {
    const ours = await requests(context)
    const raw = await rawAppends(context.other, COUNT, ACCOUNTS, 1_000 / PER_SECOND)
    rounds.push({ ours: sorted(ours), raw: sorted(raw) })
  }
  for (const percent of [50, 99]) {
    const values = rounds.map(({ ours }) => at(ours, percent))
    const baselines = rounds.map(({ raw }) => at(raw, percent))
    context.report({
      bench: 'actor',
      case: `actor.latency-p${percent}`,
      value: round3(median(values)),
      unit: 'ms',
      baseline: round3(median(baselines)),
      ratio: round3(median(values.map((value, index) => value / (baselines[index] ?? Number.NaN)))),
      runs: context.rounds,
      against: `publish with an expected sequence, awaited, ${PER_SECOND}/s`,
    })
  }
}

async function requests({ connection, other }: BenchContext): Promise<number[]> {
  const ledger = await freshLedger(connection)
  const runtime = await startRuntime(connection, ledger)
  const client = createActorClient({
    connection: other,
    clock: systemClock,
    newId,
    homes: [{ actor: 'account', records: ledger.stream, commands: ledger.commands }],
  })
  const accounts = client.actor(account)
  const took: number[] = []
  const pending: Promise<void>[] = []
  const began = performance.now()
  for (let n = 0; n < WARM + COUNT; n++) {
    const early = began + (n * 1_000) / PER_SECOND - performance.now()
    if (early > 1) await pause(early)
    const from = performance.now()
    const command = Deposit({ account: `a${n % ACCOUNTS}`, amount: 1, reference: `r${n}`, currency: 'EUR' })
    pending.push(
      accounts.request(command, { timeout: '30s' }).then(() => {
        if (n >= WARM) took.push(performance.now() - from)
      }),
    )
  }
  await Promise.all(pending)
  client.close()
  await runtime.stop()
  await removeLedger(connection, ledger)
  return took
}

function sorted(times: readonly number[]): readonly number[] {
  return [...times].sort((a, b) => a - b)
}

function at(times: readonly number[], percent: number): number {
  return times[Math.min(times.length - 1, Math.floor((times.length * percent) / 100))] ?? Number.NaN
}
