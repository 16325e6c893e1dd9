// Jobs decided again from their recorded calls.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { compareOutcomes, decideAgain, outcomeOf, ownOutcomeOf } from '../../src/job/decide-again.ts'
import { decideJob, type AttemptEnd, type JobCommand } from '../../src/job/decide-job.ts'
import type { JobEvent, JobRequest } from '../../src/job/job-event.ts'
import { evolveJob, NO_JOB, type JobState } from '../../src/job/job-state.ts'
import { NO_USAGE } from '../../src/job/usage.ts'
import { judgeAnswer } from '../../src/job/worker/judge-answer.ts'

const test = suite('jobs decided again')

const Triage = z.object({ fraud: z.boolean(), score: z.number().max(100).default(0) })
const request: JobRequest = {
  id: 'e1',
  name: 'triage',
  lane: 'standard',
  tenant: 'acme',
  input: {},
  inputEvents: ['e1'],
  deadline: undefined,
}
const billed = { usage: NO_USAGE, nanos: 5, estimated: false }
const answer = (text: string, stopReason = 'end_turn'): AttemptEnd => ({ kind: 'completed', stopReason, text, billed })
const failure: AttemptEnd = { kind: 'failed', reason: 'overloaded', counts: true, again: undefined, billed: undefined }

/** What a person or the end of all patience may do to a job beside its calls. */
type Step = AttemptEnd | 'give-up' | 'override' | 'redrive'
const TOO_LARGE: AttemptEnd = { ...failure, reason: 'answer-too-large', billed }

/** The log of a job that a worker has done. */
function history(steps: readonly Step[], schema: z.ZodType = Triage): readonly JobEvent[] {
  const events: JobEvent[] = []
  let state: JobState = NO_JOB
  const tell = (...commands: readonly JobCommand[]): void => {
    for (const command of commands) {
      const verdict = decideJob(state, command, events.length)
      if (verdict.kind === 'refused') continue
      events.push(...verdict.events)
      state = verdict.state
    }
  }
  tell({ kind: 'request', request })
  for (const step of steps) {
    if (step === 'give-up') tell({ kind: 'dead-letter', code: 'JOB_EXHAUSTED', reason: 'enough' })
    else if (step === 'override')
      tell({ kind: 'override', by: 'ann', why: 'seen', decision: { fraud: true, score: 99 } })
    else if (step === 'redrive') tell({ kind: 'redrive', by: 'ann' })
    else if (state.kind !== 'decided' && state.kind !== 'dead') {
      const prompt = { id: 'triage', version: 1, hash: 'abc' }
      tell({ kind: 'start', owner: 'w', model: 'm', prompt, estimatedTokens: 1 })
      if (state.kind === 'running') tell({ kind: 'end', attempt: state.attempt, requestId: 'r', end: step })
      if (state.kind === 'answered') tell(...judgeAnswer(schema, state))
      if (step === TOO_LARGE) tell({ kind: 'dead-letter', code: 'JOB_OUTPUT_INVALID', reason: 'it is too large' })
    }
  }
  return events
}

const texts = fc.constantFrom(
  '{"fraud":true}',
  '{"fraud":false,"score":7}',
  '{"fraud":true,"score":700}',
  '{}',
  'no',
  '',
)
const stops = fc.constantFrom('end_turn', 'end_turn', 'end_turn', 'max_tokens', 'refusal')
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.tuple(texts, stops).map(([text, stop]) => answer(text, stop)) },
    { weight: 2, arbitrary: fc.constantFrom(failure, failure, TOO_LARGE) },
    { weight: 2, arbitrary: fc.constantFrom<Step>('give-up', 'override', 'redrive') },
  ),
  { maxLength: 10 },
)

test('RD1 recorded answers lead to the recorded decision, whatever failed on the way, and the same each time', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const events = history(all.filter((step) => step !== 'override'))
      const state = events.reduce<JobState>(evolveJob, NO_JOB)
      assert.equal(outcomeOf(decideAgain(Triage, events)), outcomeOf(state))
      assert.equal(decideAgain(Triage, events), decideAgain(Triage, structuredClone(events)))
    }),
    { numRuns: 500 },
  )
})

test('RD1 what a human has decided is left out: the job comes to what it came to itself', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const events = history(all)
      const own = ownOutcomeOf(events)
      // one that was decided by a human alone is not over by itself when it is redriven: nothing is compared then
      fc.pre(!events.some(({ type }) => type === 'job.overridden') || own.kind !== 'open')
      assert.equal(outcomeOf(decideAgain(Triage, events)), own)
    }),
    { numRuns: 500 },
  )
})

test('a schema of now decides about answers of then: wider ones end repairs, narrower ones would ask again', () => {
  const narrow = Triage.extend({ reason: z.string() })
  const repaired = history([answer('{"score":1}'), answer('{"fraud":true}')])
  assert.equal(outcomeOf(decideAgain(Triage.partial({ fraud: true }), repaired)), {
    kind: 'decided',
    decision: { score: 1 },
  })
  assert.equal(outcomeOf(decideAgain(narrow, history([answer('{"fraud":true}')]))), { kind: 'open' })
  const twice = decideAgain(narrow, repaired)
  assert.is(twice.kind === 'dead' && twice.code, 'JOB_OUTPUT_INVALID')
  const given = history([answer('{}'), answer('no')])
  assert.is(ownOutcomeOf(given).kind, 'dead')
  assert.equal(outcomeOf(decideAgain(z.object({}), given)), { kind: 'decided', decision: {} })
  assert.equal(
    outcomeOf(decideAgain(narrow, history([failure, 'give-up']))),
    ownOutcomeOf(history([failure, 'give-up'])),
  )
})

test('outcomes are the same when what is stored of them is', () => {
  const decided = (decision: unknown) => ({ kind: 'decided', decision }) as const
  const dead = { kind: 'dead', code: 'JOB_DECLINED', reason: 'a' } as const
  assert.is(compareOutcomes(decided({ a: 1, b: 2 }), decided({ b: 2, a: 1, c: undefined })), 'same')
  assert.is(compareOutcomes(decided({ a: 1 }), decided({ a: 2 })), 'changed')
  assert.is(compareOutcomes(dead, decided({ a: 2 })), 'changed')
  assert.is(compareOutcomes(decided(1), dead), 'failed')
  assert.is(compareOutcomes(dead, { ...dead, reason: 'b' }), 'same')
  assert.is(compareOutcomes(dead, { ...dead, code: 'JOB_TRUNCATED' }), 'failed')
  assert.is(compareOutcomes(decided(1), { kind: 'open' }), 'open')
})

test.run()
