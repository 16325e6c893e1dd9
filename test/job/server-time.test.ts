// What processes leave for each other goes by the clock of the server, however wrong those of their machines are.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { delayedSubject } from '../../src/broker/work-stream.ts'
import { readLast } from '../../src/broker/last-message.ts'
import type { AnswerFlight, CachedAnswer } from '../../src/job/answer-cache.ts'
import { BATCH_PLACE } from '../../src/job/batch/batch-look.ts'
import { BucketAnswers } from '../../src/job/bucket-answers.ts'
import type { ModelAsk } from '../../src/job/model-client.ts'
import { NO_PROGRESS } from '../../src/job/progress/job-progress.ts'
import { silentLog } from '../../src/observe/log.ts'
import { jobPlaces } from '../../src/runtime/job-places.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { sharedConnection } from '../support/broker.ts'
import { jobContext } from './worker/working-jobs.ts'

const test = suite('jobs and the clock of the server')

const WRONG = [-600_000, 600_000]
const clockOff = (by: number): Clock => ({ ...systemClock, now: () => Date.now() + by })
const answer: CachedAnswer = { text: '{}', stopReason: 'end_turn', model: 'm', savedTokens: 12, job: 'j1' }
const scope = { context: 'SHOP', tenant: 'acme', ttl: 60_000 }

function question(text: string): ModelAsk {
  const user = [{ type: 'text' as const, text: `${text} ${process.pid}` }]
  return { model: 'm', maxTokens: 9, system: [], user, schema: undefined }
}

/** Of a machine whose clock is wrong. The server has the time 5_000_000. */
async function answersOf(by: number): Promise<BucketAnswers> {
  const connection = await sharedConnection()
  const cache = new BucketAnswers({ connection, clock: clockOff(by), now: () => 5_000_000, log: silentLog })
  await cache.prepare(1)
  return cache
}

test('AC2 of machines whose clocks differ by minutes one asks, and the others are told to come again in a moment', async () => {
  for (const by of WRONG) {
    const [asks, waits] = [await answersOf(by), await answersOf(-by)]
    const ask = question(`a flight, ${by} ms`)
    const flight = (await asks.find(ask, scope)) as AnswerFlight
    assert.is(flight.kind, 'miss')
    for (const cache of [asks, waits])
      assert.equal(await cache.find(ask, scope), { kind: 'flying', again: 5_000_500 }, `${by} ms`)
    await flight.land()
  }
})

test('AC3 how old an answer is does not depend on whose clock has dated it', async () => {
  for (const by of WRONG) {
    const [stores, finds] = [await answersOf(by), await answersOf(-by)]
    const ask = question(`an answer, ${by} ms`)
    await ((await stores.find(ask, scope)) as AnswerFlight).store(answer)
    assert.is((await finds.find(ask, scope)).kind, 'hit', `${by} ms`)
    const kept = question(`kept, ${by} ms`)
    await stores.keep(stores.keyOf(kept, scope), scope.ttl, answer)
    assert.is((await finds.find(kept, scope)).kind, 'hit', `${by} ms`)
  }
})

test('a batch that nobody looks after is looked at now, and not when the clock of a machine has come so far', async () => {
  const connection = await sharedConnection()
  const { job } = await jobContext(connection)
  const time = Date.now() + 3_600_000
  const options = { connection, clock: clockOff(WRONG[0] ?? 0), now: () => time, log: silentLog }
  const [queue] = jobPlaces([job], { ...options, progressOf: () => NO_PROGRESS })
  const jobs = [{ id: 'j1', attempt: 1, tokens: 1, cache: undefined }]
  await queue?.batches.collect('b1', { type: 'batch.collected', at: time, jobs }, [])
  assert.ok(await queue?.place.inBatch?.('b1', { id: 'j1', attempt: 1 }))
  const look = await readLast(connection, job.queue.name, delayedSubject(job.queue.name, BATCH_PLACE, 'b1'))
  assert.is(look?.header('Nats-Schedule'), `@at ${new Date(time).toISOString()}`)
})

test.run()
