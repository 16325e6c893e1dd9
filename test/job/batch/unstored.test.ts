// Answers of a batch that cannot be stored: the others of their batch have theirs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jobOf } from '../../../src/job/decide-job.ts'
import { eachOf } from '../../../src/job/batch/each-of.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { sharedConnection } from '../../support/broker.ts'
import { batching } from './batching.ts'

const test = suite('answers of batches that cannot be stored')

test('BA4 JB3 an answer that the server cannot store is billed, its job is a dead letter, and its batch goes on', async () => {
  const connection = await sharedConnection()
  const large = 'x'.repeat(connection.server.maxPayload)
  const { request, lane, until, server } = await batching({
    answers: ({ body }) =>
      JSON.stringify(body['messages']).includes('of large')
        ? modelAnswers.json({ fraud: false, large })
        : modelAnswers.json({ fraud: true }),
  })
  const others = Array.from({ length: 40 }, (_, at) => `job ${at}`)
  // results are in the opposite order here: what is large is among the first
  await request([...others, 'large'])
  const working = await lane({ rules: { size: 41, age: 3_000 } })
  const events = await until('large', 'dead-lettered')
  const state = jobOf(events)
  assert.equal([state.kind, state.kind === 'dead' && state.code], ['dead', 'JOB_OUTPUT_INVALID'])
  assert.ok(state.kind === 'dead' && state.account.outputTokens > 100_000, 'what it was billed is known')
  for (const id of others) await until(id, 'decided')
  assert.is(server.totals().calls, 41)
  await working.stop()
})

test('what fails keeps nothing that comes behind it from being done, and is told when all is', async () => {
  const done: number[] = []
  const work = async (item: number): Promise<void> => {
    if (item === 1) throw new Error('one')
    done.push(item)
  }
  const thrown = await eachOf(2, [0, 1, 2, 3, 4, 5], work).catch((error: unknown) => (error as Error).message)
  assert.equal([thrown, done], ['one', [0, 2, 3, 4, 5]])
})

test.run()
