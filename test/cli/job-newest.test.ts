// The newest jobs, read from the end of a log: the same as from all of it, and no more of it than it takes.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newestJobs, type ListedJob } from '../../src/cli/job/newest-jobs.ts'
import type { JobEvent } from '../../src/job/job-event.ts'

const test = suite('cli: the newest jobs')

interface Logged {
  readonly id: string
  readonly event: JobEvent
}

function requested(id: string, at: number): JobEvent {
  const request = { id, name: 'triage', lane: 'batch' as const, tenant: 'acme', input: {}, inputEvents: [id] }
  return { type: 'job.requested', at, request: { ...request, deadline: undefined } }
}

/** A log of jobs whose ends come at any time; of some there is none. */
const logs = fc
  .array(fc.record({ at: fc.nat(40), ends: fc.option(fc.nat(40)) }), { maxLength: 20 })
  .map((jobs): Logged[] =>
    jobs
      .flatMap(({ at, ends }, number) => {
        const id = `j${number}`
        const dead: JobEvent = { type: 'job.dead-lettered', at, reason: 'never' }
        const end = ends === null ? [] : [{ when: at + ends, order: 1, id, event: dead }]
        return [{ when: at, order: 0, id, event: requested(id, at) }, ...end]
      })
      .toSorted((a, b) => a.when - b.when || a.order - b.order),
  )

async function newest(log: readonly Logged[], limit: number, window: number, isMeant: (job: ListedJob) => boolean) {
  let read = 0
  const found = await newestJobs({
    range: { first: 1, last: log.length },
    limit,
    window,
    isMeant,
    read: async function* (from, to) {
      for (const logged of log.slice(from - 1, to)) {
        read += 1
        yield logged
      }
    },
  })
  return { ids: found.jobs.map(({ state }) => state.account.request.id), more: found.more, read }
}

test('whatever the log has, they are those that all of it has last, each as it is now', async () => {
  const isDead = ({ state }: ListedJob): boolean => state.kind === 'dead'
  const whole = fc.record({
    log: logs,
    limit: fc.integer({ min: 1, max: 25 }),
    window: fc.integer({ min: 1, max: 9 }),
    dead: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(whole, async ({ log, limit, window, dead }) => {
      const isMeant = dead ? isDead : () => true
      const { ids, more, read } = await newest(log, limit, window, isMeant)
      const ended = new Set(log.flatMap(({ id, event }) => (event.type === 'job.dead-lettered' ? [id] : [])))
      const all = log.flatMap(({ id, event }) =>
        event.type === 'job.requested' && (!dead || ended.has(id)) ? [id] : [],
      )
      assert.equal(ids, all.slice(-limit))
      assert.ok(more || all.length <= limit, 'that there are more is said')
      assert.ok(read <= log.length, 'nothing is read twice')
    }),
  )
})

test('of a long log the end is read', async () => {
  const log = Array.from({ length: 5_000 }, (_, at) => ({ id: `j${at}`, event: requested(`j${at}`, at) }))
  const { ids, more, read } = await newest(log, 3, 10, () => true)
  assert.equal([ids, more, read], [['j4997', 'j4998', 'j4999'], true, 10])
})

test.run()
