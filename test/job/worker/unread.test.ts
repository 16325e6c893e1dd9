// Jobs that are begun from their message alone, on a real log: it says whether that was all that there was of them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JobEvent } from '../../../src/job/job-event.ts'
import { queueMessage, readQueued } from '../../../src/job/queue-message.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { atEnd } from '../../support/cleanup.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { jobContext, work, type JobContext } from './working-jobs.ts'

const test = suite('jobs that are begun without being read')

/** A worker, and which jobs it reads. */
async function working(context: JobContext) {
  const server = await startModelServer({ answers: () => modelAnswers.json({ verdict: 'fine' }) })
  atEnd(() => server.stop())
  const reads: string[] = []
  const queues = context.places.map((queue) => {
    const { log } = queue.place
    const read: typeof log.read = (id) => {
      reads.push(id)
      return log.read(id)
    }
    return { ...queue, place: { ...queue.place, log: { ...log, read } } }
  })
  await work(context, server.url, { queues })
  return { reads, server }
}

test('JW8 what is small is done without being read; what is large is read, and what waits for another attempt', async () => {
  const context = await jobContext(await sharedConnection())
  await context.request('small')
  await context.request('large', 'x'.repeat(10_000))
  const { reads, server } = await working(context)
  for (const id of ['small', 'large']) assert.is((await context.over(id)).kind, 'decided')
  assert.equal(reads, ['large'])
  assert.is(server.totals().calls, 2)
  await eventually('the queue is empty', async () => (await context.queued()) === 0 || undefined)
})

test('JW8 JW4 what somebody else has recorded meanwhile is found: an attempt that runs elsewhere, one that was lost, an end', async () => {
  const context = await jobContext(await sharedConnection())
  const prompt = { id: 'judge', version: 1, hash: 'h' }
  const begin = (message: number): readonly JobEvent[] => [
    { type: 'job.admitted', at: 1, attempt: 1, estimatedTokens: 1 },
    { type: 'job.attempt-started', at: 1, attempt: 1, owner: 'x', model: 'm', prompt, message },
  ]
  const dead: readonly JobEvent[] = [{ type: 'job.dead-lettered', at: 1, reason: 'by hand' }]
  const ids = ['lost', 'over', 'untouched']
  for (const id of ids) await context.request(id)
  // its message is not in the queue: whoever had it is gone
  const { log } = context.ports
  for (const [id, events] of [
    ['lost', begin(99)],
    ['over', dead],
  ] as const) {
    const { version } = await log.read(id)
    assert.ok(await log.append(id, version, events, { causationId: id, correlationId: undefined }))
  }
  const { reads, server } = await working(context)
  for (const id of ids) await context.over(id)
  await eventually('the queue is empty', async () => (await context.queued()) === 0 || undefined)
  const states = await Promise.all(ids.map((id) => context.state(id)))
  assert.equal(
    states.map((state) => [state.kind, state.kind === 'none' ? 0 : state.account.begun]),
    [
      ['decided', 2],
      ['dead', 0],
      ['decided', 1],
    ],
  )
  assert.equal([...new Set(reads)].toSorted(), ['lost', 'over'])
  assert.is(server.totals().calls, 2)
})

test('JW8 what is in a message and not as it is written there is not relied on', () => {
  const job = { id: 'a', lane: 'standard', tenant: 'acme', tokens: 3 } as const
  const request = {
    id: 'a',
    name: 'judge',
    lane: 'standard',
    tenant: 'acme',
    input: 1,
    inputEvents: ['a'],
    deadline: undefined,
  } as const
  const first = { sequence: 7, requested: { type: 'job.requested', at: 1, request } } as const
  const { data } = queueMessage('Q', job, 'a', first)
  assert.equal(readQueued(data), { job, first: JSON.parse(JSON.stringify(first)) })
  assert.equal(readQueued(queueMessage('Q', job, 'a').data), { job, first: undefined })
  const text = Buffer.from(data).toString()
  for (const [from, to] of [
    ['"sequence":7', '"sequence":"7"'],
    ['"job.requested"', '"job.decided"'],
    ['"request":{"id":"a"', '"request":{"id":"b"'],
    ['"inputEvents":["a"]', '"inputEvents":"a"'],
    ['"at":1', '"at":null'],
  ] as const) {
    assert.ok(text.includes(from), from)
    assert.equal(readQueued(Buffer.from(text.replace(from, to))), { job, first: undefined }, to)
  }
})

test.run()
