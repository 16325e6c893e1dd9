// Sixteen that take tokens of one rate, as processes have it: each with a watch and leases of its own. How many calls are admitted
// in a second, and, of a rate that is used up, how much more than it allows.
import { SharedCells } from '../../src/delivery/limits/shared-cells.ts'
import { LEASE_MS, SharedLimiter } from '../../src/delivery/limits/shared-limiter.ts'
import { lease, readTokenBucket, type BucketRules } from '../../src/delivery/limits/token-bucket.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { isWanted, measure, type BenchContext } from '../harness.ts'

const CONTENDERS = 16
const MS = 1_000
/** Tokens of a call: from 200 to 2,000. */
const costOf = (call: number): number => 200 + ((call * 7_919) % 1_801)
/** More than can be admitted: what is measured is the way, not the rate. */
const ENDLESS: BucketRules = { limit: 20_000_000_000, per: 1_000, burst: 4_000_000_000 }
/** A rate that is used up. */
const TIGHT: BucketRules = { limit: 2_000_000, per: 1_000, burst: 100_000 }

const now = (): number => Date.now()

export async function tokenLimits(context: BenchContext): Promise<void> {
  if (!isWanted(context, 'limiter.leases', 'limiter.over')) return
  const shared = { clock: systemClock, log: silentLog, replicas: 1, chance: Math.random }
  const links = Array.from({ length: CONTENDERS }, (_, at) => (at % 2 === 0 ? context.connection : context.other))
  const all = await Promise.all(links.map((connection) => SharedCells.open({ connection, ...shared })))
  const limitersOf = async (key: string, rules: BucketRules): Promise<readonly SharedLimiter[]> =>
    Promise.all(
      all.map(async (one) => new SharedLimiter({ rules, cell: await one.cell(key), clock: systemClock, now })),
    )
  if (isWanted(context, 'limiter.leases')) {
    const limiters = await limitersOf('rate.bench-tokens', ENDLESS)
    const cells = await Promise.all(all.map((one) => one.cell('rate.bench-tokens')))
    await measure(context, 'jobs', {
      name: 'limiter.leases',
      unit: 'admissions/s',
      against: 'a compare-and-set for each, 16 contenders both',
      candidate: () => perSecond(limiters.map((limiter) => (ended) => admit(limiter, ended))),
      baseline: () =>
        perSecond(
          cells.map((cell) => async (ended) => {
            let calls = 0
            for (; performance.now() < ended; calls++)
              await cell.update((value) => {
                const cost = costOf(calls)
                const answer = lease(readTokenBucket(value), ENDLESS, now(), cost, cost)
                return answer.kind === 'granted' ? answer.bucket : undefined
              })
            return { calls, tokens: 0 }
          }),
        ),
    })
    await Promise.all(limiters.map((limiter) => limiter.stop()))
  }
  if (isWanted(context, 'limiter.over')) await over(context, await limitersOf('rate.bench-tight', TIGHT))
  for (const one of all) one.stop()
}

/** What was admitted of a rate that is used up, by what it allows. */
async function over(context: BenchContext, limiters: readonly SharedLimiter[]): Promise<void> {
  const began = performance.now()
  const counts = await Promise.all(limiters.map((limiter) => take(limiter, began + 3 * MS)))
  const [ms, tokens] = [performance.now() - began, counts.reduce((sum, one) => sum + one, 0)]
  await Promise.all(limiters.map((limiter) => limiter.stop()))
  const allowed = TIGHT.burst + (ms * TIGHT.limit) / TIGHT.per
  context.report({
    bench: 'jobs',
    case: 'limiter.over',
    value: tokens,
    unit: `tokens in ${Math.round(ms)} ms, leases may be ${(2 * LEASE_MS * TIGHT.limit) / TIGHT.per}`,
    baseline: allowed,
    ratio: tokens / allowed,
    runs: 1,
    against: 'the limit and its burst',
  })
}

interface Admitted {
  readonly calls: number
  readonly tokens: number
}

/** Admits until then; lets others have a turn now and then. */
async function admit(limiter: SharedLimiter, ended: number): Promise<Admitted> {
  let [calls, tokens] = [0, 0]
  while (performance.now() < ended) {
    await limiter.take(costOf(calls))
    for (let left = 1_000; left > 0 && limiter.tryTake(costOf(calls)); left--) {
      tokens += costOf(calls)
      calls += 1
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { calls, tokens }
}

async function take(limiter: SharedLimiter, ended: number): Promise<number> {
  let tokens = 0
  for (let calls = 0; performance.now() < ended; calls++) {
    await limiter.take(costOf(calls))
    tokens += costOf(calls)
  }
  return tokens
}

async function perSecond(sides: readonly ((ended: number) => Promise<Admitted>)[]): Promise<number> {
  const began = performance.now()
  const counts = await Promise.all(sides.map((side) => side(began + MS)))
  return counts.reduce((sum, { calls }) => sum + calls, 0) / ((performance.now() - began) / 1_000)
}
