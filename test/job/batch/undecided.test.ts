// Answers of a batch that cannot be stored, or that nobody waits for any more.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { batchOwner } from '../../../src/job/batch/batch-owner.ts'
import type { BatchPorts } from '../../../src/job/batch/batch-ports.ts'
import { eachOf } from '../../../src/job/batch/each-of.ts'
import { settleJob } from '../../../src/job/batch/settle-job.ts'
import { decideJob, jobOf, type JobCommand } from '../../../src/job/decide-job.ts'
import type { JobEvent } from '../../../src/job/job-event.ts'
import { evolveJob, NO_JOB, type JobState } from '../../../src/job/job-state.ts'
import { NO_PROGRESS } from '../../../src/job/progress/job-progress.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { sharedConnection } from '../../support/broker.ts'
import { batching } from './batching.ts'

const test = suite('answers of batches that decide nothing')

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

for (const [where, last] of [
  ['waits', []],
  ['is dead', [{ kind: 'dead-letter', code: 'JOB_DEADLINE_OVER', reason: 'late' }]],
] as const)
  test(`BA1 JB3 the answer of a batch that was given up is billed while its job ${where}, and decides nothing`, async () => {
    let state: JobState = NO_JOB
    const told = (commands: readonly JobCommand[]): void => {
      for (const command of commands) {
        const verdict = decideJob(state, command, 1)
        if (verdict.kind === 'events') state = verdict.state
      }
    }
    const request = { id: 'a', name: 'triage', lane: 'batch', tenant: 't', input: {}, inputEvents: ['a'] } as const
    const start = { owner: batchOwner('b'), model: 'm', prompt: { id: 'p', version: 1, hash: 'h' }, estimatedTokens: 9 }
    const end = { kind: 'failed', reason: 'not-sent', counts: false, again: undefined, billed: undefined } as const
    told([
      { kind: 'request', request: { ...request, deadline: undefined } },
      { kind: 'start', ...start },
      { kind: 'end', attempt: 1, requestId: undefined, end },
      ...last,
    ])
    const before = state.kind
    const place = {
      context: 'SHOP',
      progress: NO_PROGRESS,
      declared: () => undefined,
      log: {
        read: async () => ({ state, version: 1 }),
        append: async (_id: string, _version: number, events: readonly JobEvent[]) => {
          state = events.reduce(evolveJob, state)
          return true
        },
      },
    }
    const ports = { place, clock: systemClock, log: silentLog, now: Date.now, chance: () => 0, bill: async () => 7 }
    const { signal } = new AbortController()
    const message = { id: 'm', model: 'm', stop_reason: 'end_turn', usage: { input_tokens: 3, output_tokens: 2 } }
    const job = { id: 'a', attempt: 1, tokens: 9 }
    const answer = { kind: 'succeeded', message } as const
    await settleJob({ ...ports, signal } as unknown as BatchPorts, { copy: 1, stray: true, job, answer })
    assert.is(state.kind, before)
    assert.equal(state.kind !== 'none' && [state.account.billed, state.account.nanos], [[1], 7])
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
