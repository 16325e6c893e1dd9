// Whoever does a job is killed before or after anything that it does; its message is delivered again, until there is none.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FIRST, MemoryJobs, queued, type Says } from './memory-jobs.ts'

const test = suite('jobs whose processes are killed')

/** Delivers what there is until there is nothing. */
async function untilEmpty(jobs: MemoryJobs): Promise<void> {
  for (let round = 0; jobs.messages.size > 0; round++) {
    if (round > 200) throw new Error(`it does not end: ${JSON.stringify(jobs.state)}`)
    const [first] = jobs.messages.keys()
    await jobs.deliver(first as number)
  }
}

const says = fc.array(fc.constantFrom<Says>('good', 'wrong', 'ill', 'never'), { maxLength: 6 })

test('JW1 JW2 JW3 killed at any step, however often: one decision or one letter, and an answer on the log is the last', async () => {
  const killAt = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(says, killAt, async (answers, kills) => {
      const jobs = new MemoryJobs(answers, kills)
      await untilEmpty(jobs)
      const { state, events } = jobs
      assert.ok(state.kind === 'decided' || state.kind === 'dead', state.kind)
      const count = (type: string): number => events.filter((event) => event.type === type).length
      assert.is(count('job.decided') + count('job.dead-lettered'), 1)
      assert.is(jobs.letters.size, count('job.dead-lettered'))
      assert.ok(jobs.calls.length <= count('job.attempt-started'))
      const decided = events.findIndex(({ type }) => type === 'job.validated')
      assert.not.ok(events.slice(decided + 1).some(({ type }) => decided >= 0 && type === 'job.attempt-started'))
      // each kill loses one bill of a call at the most
      assert.ok(state.account.billed.length >= jobs.settled - jobs.kills)
      assert.ok(state.account.billed.length <= jobs.calls.length)
    }),
    { numRuns: 300 },
  )
})

test('JW3 one that is killed behind its answer is decided without another call', async () => {
  for (let step = 1; step < 30; step++) {
    const jobs = new MemoryJobs(['good', 'good'], [step])
    await untilEmpty(jobs)
    const answered = jobs.events.filter(({ type }) => type === 'job.completed').length
    assert.is(answered, 1, `killed at ${step}`)
    assert.ok(jobs.calls.length <= 2)
  }
})

test('JW4 of two messages of a job one has it; the other is dropped, or takes over when the first is gone', async () => {
  const jobs = new MemoryJobs(['good'])
  jobs.add(queued)
  let second: unknown
  jobs.onCall = async () => {
    second = await jobs.deliver(2)
  }
  assert.is(await jobs.deliver(1), 'done')
  assert.equal([second, jobs.calls.length, jobs.state.kind, jobs.messages.size], ['done', 1, 'decided', 0])

  const alone = new MemoryJobs(['good', 'good'])
  alone.add(queued)
  alone.onCall = async () => {
    alone.onCall = async () => undefined
    alone.messages.delete(1)
    second = await alone.deliver(2)
  }
  assert.is(await alone.deliver(1), 'left', 'its attempt was superseded')
  assert.equal([second, alone.calls.length, alone.state.kind], ['done', 2, 'decided'])
})

test('JW8 a job that nobody has begun is done without being read, and is read where its message was there before', async () => {
  const jobs = new MemoryJobs(['good'])
  await untilEmpty(jobs)
  assert.equal([jobs.state.kind, jobs.reads, jobs.calls.length], ['decided', 0, 1])

  const again = new MemoryJobs(['good'])
  again.fresh.clear()
  await untilEmpty(again)
  assert.equal([again.state.kind, again.reads], ['decided', 1])
})

test('JW4 JW8 of two messages that both say that it was not begun one has it', async () => {
  const jobs = new MemoryJobs(['good'])
  jobs.add(queued, FIRST)
  let second: unknown
  jobs.onCall = async () => {
    second = await jobs.deliver(2)
  }
  assert.is(await jobs.deliver(1), 'done')
  assert.equal([second, jobs.calls.length, jobs.state.kind, jobs.messages.size], ['done', 1, 'decided', 0])
})

test('JW8 what the log has beside its request is found, and nothing is asked for a job that is over', async () => {
  const over = [
    { type: 'job.dead-lettered', at: 2, reason: 'given up by hand' },
    { type: 'job.overridden', at: 3, by: 'ann', why: 'known', decision: 1 },
  ] as const
  for (const count of [1, 2]) {
    const jobs = new MemoryJobs(['good'])
    jobs.events = [...jobs.events, ...over.slice(0, count)]
    assert.is(await jobs.deliver(1), 'done')
    assert.equal([jobs.calls.length, jobs.events.length, jobs.letters.size], [0, 1 + count, count === 1 ? 1 : 0])
  }
  const demoted = new MemoryJobs(['good'])
  demoted.events = [...demoted.events, { type: 'job.demoted', at: 2, until: 3 }]
  await untilEmpty(demoted)
  assert.equal([demoted.state.kind, demoted.calls.length], ['decided', 1])
})

test('JW1 ten processes that end in the middle of its call are enough', async () => {
  const jobs = new MemoryJobs([])
  jobs.onCall = async () => {
    throw new Error('never')
  }
  const start = { type: 'job.admitted' as const, at: 1, estimatedTokens: 1 }
  for (let attempt = 1; attempt <= 10; attempt++)
    jobs.events = [
      ...jobs.events,
      { ...start, attempt },
      { type: 'job.attempt-started', at: 1, attempt, owner: 'x', model: 'm', prompt: PROMPT, message: 1 },
    ]
  assert.is(await jobs.deliver(1), 'done')
  assert.equal([jobs.state.kind, (jobs.state as { code?: string }).code], ['dead', 'JOB_CRASHED'])
  assert.equal([jobs.calls.length, jobs.letters.size], [0, 1])
})

const PROMPT = { id: 'judge', version: 1, hash: 'h' }

test.run()
