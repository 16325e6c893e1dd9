// Admissions per second of a rate that processes share: two over connections of their own, as processes have them. Each
// leases, against a compare-and-set on the server for each admission.
import { SharedCells } from '../src/delivery/limits/shared-cells.ts'
import { SharedLimiter } from '../src/delivery/limits/shared-limiter.ts'
import { lease, readTokenBucket } from '../src/delivery/limits/token-bucket.ts'
import { silentLog } from '../src/observe/log.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { isWanted, measure, type Bench } from './harness.ts'

const MS = 1_000
/** More than can be admitted: what is measured is the way, not the rate. */
const RULES = { limit: 10_000_000, per: 1_000, burst: 2_000_000 }

export const limits: Bench = async (context) => {
  if (!isWanted(context, 'admissions')) return
  const shared = { clock: systemClock, log: silentLog, replicas: 1, chance: Math.random }
  const all = await Promise.all(
    [context.connection, context.other].map((connection) => SharedCells.open({ connection, ...shared })),
  )
  const now = (): number => Date.now()
  const cells = await Promise.all(all.map((one) => one.cell('rate.bench')))
  const limiters = cells.map((cell) => new SharedLimiter({ rules: RULES, cell, clock: systemClock, now }))
  await measure(context, 'limits', {
    name: 'admissions',
    unit: 'events/s',
    against: 'a compare-and-set for each',
    candidate: () => perSecond(limiters.map((limiter) => (ended) => admit(limiter, ended))),
    baseline: () =>
      perSecond(
        cells.map((cell) => async (ended) => {
          let count = 0
          for (; performance.now() < ended; count++)
            await cell.update((value) => {
              const answer = lease(readTokenBucket(value), RULES, now(), 1, 1)
              return answer.kind === 'granted' ? answer.bucket : undefined
            })
          return count
        }),
      ),
  })
  for (const limiter of limiters) await limiter.stop()
  for (const one of all) one.stop()
}

/** Admits until then; lets others have a turn now and then, as handlers do. */
async function admit(limiter: SharedLimiter, ended: number): Promise<number> {
  let count = 0
  while (performance.now() < ended) {
    if (!limiter.has()) await limiter.ready()
    for (let left = 1_000; left > 0 && limiter.has(); left--) {
      limiter.spend()
      count += 1
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  return count
}

async function perSecond(sides: readonly ((ended: number) => Promise<number>)[]): Promise<number> {
  const began = performance.now()
  const counts = await Promise.all(sides.map((side) => side(began + MS)))
  return counts.reduce((a, b) => a + b, 0) / ((performance.now() - began) / 1_000)
}
