// A job as its events: any commands, by anybody, in any order.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decideJob, jobOf, type JobCommand } from '../../src/job/decide-job.ts'
import type { Billed, JobEvent, JobRequest } from '../../src/job/job-event.ts'
import { evolveJob, NO_JOB, type JobState } from '../../src/job/job-state.ts'
import { NO_USAGE } from '../../src/job/usage.ts'

const test = suite('the state of a job')

const request: JobRequest = {
  id: 'evt-1',
  name: 'triage',
  lane: 'standard',
  tenant: 'acme',
  input: { amount: 3 },
  inputEvents: ['evt-1'],
  deadline: undefined,
}
const prompt = { id: 'triage', version: 1, hash: 'h' }
const start: JobCommand = { kind: 'start', owner: 'w', model: 'm', prompt, estimatedTokens: 10 }
const billed = (attempt: number): Billed => ({
  usage: { ...NO_USAGE, input: 10, output: attempt },
  nanos: 1_000 + attempt,
  estimated: false,
})
const completed = (attempt: number): JobCommand => ({
  kind: 'end',
  attempt,
  requestId: `req-${attempt}`,
  end: { kind: 'completed', stopReason: 'end_turn', text: '{}', billed: billed(attempt) },
})
const failed = (attempt: number, again: number | undefined = undefined, reason = 'overloaded'): JobCommand => ({
  kind: 'end',
  attempt,
  requestId: undefined,
  end: { kind: 'failed', reason, counts: true, again, billed: undefined },
})

/** Runs commands one after the other, as if each had been appended. */
function run(commands: readonly JobCommand[], now = 0) {
  let state: JobState = NO_JOB
  const events: JobEvent[] = []
  const answers = commands.map((command) => {
    const verdict = decideJob(state, command, now)
    if (verdict.kind === 'refused') return verdict.why
    events.push(...verdict.events)
    state = verdict.state
    return verdict.events.map(({ type }) => type.slice(4)).join(' ')
  })
  return { state, events, answers }
}

test('a job goes from request to decision, and its events tell what it cost', () => {
  const { answers, state, events } = run([
    { kind: 'request', request },
    start,
    failed(1),
    start,
    completed(2),
    { kind: 'invalidate', attempt: 2, issues: [{ detail: 'no' }] },
    start,
    completed(3),
    { kind: 'validate', attempt: 3, result: { fraud: true } },
    { kind: 'decide', attempt: 3, decision: 'block' },
    { kind: 'override', by: 'ada', why: 'a known customer', decision: 'allow' },
  ])
  assert.equal(answers, [
    'requested',
    'admitted attempt-started',
    'attempt-failed',
    'admitted attempt-started',
    'completed',
    'invalidated',
    'admitted attempt-started',
    'completed',
    'validated',
    'decided',
    'overridden',
  ])
  if (state.kind !== 'decided') throw new Error(state.kind)
  const { begun, counted, invalid, billed: bills, inputTokens, outputTokens, nanos } = state.account
  assert.equal({ begun, counted, invalid, bills }, { begun: 3, counted: 1, invalid: 1, bills: [2, 3] })
  assert.equal([inputTokens, outputTokens, nanos], [20, 5, 2_005])
  assert.equal([state.decision, state.overriddenBy], ['allow', 'ada'])
  assert.equal(jobOf(events), state)
})

test('JB2 JB3 an attempt that lost its lease is billed and decides nothing', () => {
  const { answers, state } = run([
    { kind: 'request', request },
    start,
    start,
    completed(1),
    completed(1),
    { kind: 'validate', attempt: 1, result: 'old' },
    completed(2),
    { kind: 'validate', attempt: 2, result: 'new' },
    { kind: 'decide', attempt: 1, decision: 'old' },
    { kind: 'decide', attempt: 2, decision: 'new' },
    { kind: 'decide', attempt: 2, decision: 'again' },
  ])
  assert.equal(answers.slice(3), [
    'attempt-billed',
    'superseded',
    'superseded',
    'completed',
    'validated',
    'superseded',
    'decided',
    'done',
  ])
  assert.is(state.kind === 'decided' && state.account.nanos, 2_003)
})

test('a wait is kept, a dead job is dead until it is redriven, and nothing is known of a job that nobody has asked for', () => {
  const refusals = run([start, { kind: 'redrive', by: 'ada' }, { kind: 'dead-letter', reason: 'x' }]).answers
  assert.equal(refusals, ['unknown', 'unknown', 'unknown'])
  const base: JobCommand[] = [{ kind: 'request', request }, start, failed(1, 500)]
  assert.is(run([...base, start], 499).answers.at(-1), 'not-yet')
  assert.is(run([...base, start], 500).answers.at(-1), 'admitted attempt-started')
  const dead = run([
    ...base,
    { kind: 'dead-letter', reason: 'exhausted' },
    start,
    { kind: 'redrive', by: 'ada' },
    start,
  ])
  assert.equal(dead.answers.slice(3), ['dead-lettered', 'over', 'redriven', 'admitted attempt-started'])
  assert.is(dead.state.kind === 'running' && dead.state.account.counted, 0)
  assert.is(dead.state.kind === 'running' && dead.state.attempt, 2)
})

test('who takes over a job that has its answer goes on with it, and does not pay for another one', () => {
  const { answers, state } = run([
    { kind: 'request', request },
    start,
    completed(1),
    start,
    { kind: 'validate', attempt: 1, result: 'x' },
    start,
    { kind: 'decide', attempt: 1, decision: 'x' },
  ])
  assert.equal(answers.slice(2), ['completed', 'done', 'validated', 'done', 'decided'])
  assert.is(state.kind === 'decided' && state.account.begun, 1)
})

const attempt = fc.integer({ min: 0, max: 6 })
const anyCommand: fc.Arbitrary<JobCommand> = fc.oneof(
  fc.constant<JobCommand>({ kind: 'request', request }),
  fc.constant(start),
  fc.constant(start),
  attempt.map(completed),
  attempt.map((one) => failed(one)),
  attempt.map((one): JobCommand => ({
    kind: 'end',
    attempt: one,
    requestId: undefined,
    end: { kind: 'failed', reason: 'cut', counts: true, again: undefined, billed: billed(one) },
  })),
  attempt.map((one): JobCommand => ({ kind: 'validate', attempt: one, result: one })),
  attempt.map((one): JobCommand => ({ kind: 'invalidate', attempt: one, issues: [] })),
  attempt.map((one): JobCommand => ({ kind: 'decide', attempt: one, decision: one })),
  fc.constant<JobCommand>({ kind: 'override', by: 'ada', why: 'x', decision: 'human' }),
  fc.constant<JobCommand>({ kind: 'dead-letter', reason: 'x' }),
  fc.constant<JobCommand>({ kind: 'redrive', by: 'ada' }),
)

test('JB1 JB2 JB3 whatever is asked in whatever order: one request, one decision, one bill for each attempt that was billed', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 60 }), (commands) => {
      const { events, state } = run([{ kind: 'request', request }, start, ...commands])
      assert.equal(jobOf(events), state)
      const of = (type: JobEvent['type']) => events.filter((event) => event.type === type)
      assert.is(of('job.requested').length, 1)
      assert.ok(of('job.decided').length <= 1)
      const begun = of('job.attempt-started').map((event) => (event as { attempt: number }).attempt)
      assert.equal(
        begun,
        Array.from({ length: begun.length }, (_, at) => at + 1),
      )
      // the bills that somebody had for attempts that had begun when he came
      const due = new Set<number>()
      let at: JobState = NO_JOB
      for (const command of [{ kind: 'request', request } as const, start, ...commands]) {
        const last = at.kind === 'none' ? 0 : at.account.begun
        if (
          command.kind === 'end' &&
          command.end.billed !== undefined &&
          command.attempt >= 1 &&
          command.attempt <= last
        )
          due.add(command.attempt)
        const verdict = decideJob(at, command, 0)
        if (verdict.kind === 'events') at = verdict.state
      }
      const bills = state.kind === 'none' ? [] : state.account.billed
      assert.equal(
        bills.toSorted((a, b) => a - b),
        [...due].sort((a, b) => a - b),
      )
      const decided = of('job.decided')[0] as { attempt: number } | undefined
      const place = decided === undefined ? -1 : events.indexOf(decided as never)
      const before = events.slice(0, place).filter(({ type }) => type === 'job.attempt-started').length
      if (decided !== undefined) assert.is(decided.attempt, before)
    }),
    { numRuns: 150 },
  )
})

test('JB4 the same command twice is the same as once', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
      const once = run([{ kind: 'request', request }, ...commands])
      // a start is another attempt, and an override another word, each time they are meant
      const twice = commands.flatMap((one) => (['start', 'override'].includes(one.kind) ? [one] : [one, one]))
      assert.equal(run([{ kind: 'request', request }, ...twice]).events, once.events)
    }),
    { numRuns: 100 },
  )
})

test('a history that cannot have been is refused', () => {
  const requested: JobEvent = { type: 'job.requested', at: 0, request }
  const state = evolveJob(NO_JOB, requested)
  assert.throws(() => evolveJob(state, requested), /JOB_HISTORY_INVALID/)
  assert.throws(() => evolveJob(NO_JOB, { type: 'job.dead-lettered', at: 0, reason: 'x' }), /JOB_HISTORY_INVALID/)
  const startedAt = (number: number): JobEvent => ({
    type: 'job.attempt-started',
    at: 0,
    attempt: number,
    owner: 'w',
    model: 'm',
    prompt,
  })
  assert.throws(() => evolveJob(state, startedAt(2)), /JOB_HISTORY_INVALID/)
  const bill: JobEvent = { type: 'job.attempt-billed', at: 0, attempt: 1, billed: billed(1) }
  assert.throws(() => jobOf([requested, startedAt(1), bill, bill]), /billed twice/)
})

test('JB5 a call that never ended is one whose bill is not known, until its bill comes; what made no call, or is in a batch, is none', () => {
  const unknown = (commands: readonly JobCommand[]) => {
    const { state } = run([{ kind: 'request', request }, ...commands])
    return state.kind === 'none' ? undefined : state.account.unknown
  }
  const lost = [{ attempt: 1, tokens: 10 }]
  assert.equal(unknown([start]), [], 'it runs')
  assert.equal(unknown([start, start]), lost)
  assert.equal(unknown([start, start, completed(2)]), lost, 'for ever')
  assert.equal(unknown([start, start, completed(1)]), [], 'it was frozen, and tells its bill')
  assert.equal(unknown([start, { kind: 'dead-letter', reason: 'crashed' }]), lost)
  const again: JobCommand = { kind: 'redrive', by: 'ann' }
  assert.equal(unknown([start, { kind: 'dead-letter', reason: 'crashed' }, again, start]), lost, 'also when redriven')
  assert.equal(unknown([start, failed(1), start]), [])
  for (const reason of ['lost', 'aborted', 'idle', 'timeout', 'connection', 'stream-broken', 'stream-cut'])
    assert.equal(unknown([start, failed(1, undefined, reason)]), lost, `given up: ${reason}`)
  assert.equal(unknown([start, failed(1, undefined, 'lost'), completed(1)]), [], 'and its bill came')
  assert.equal(unknown([{ ...start, estimatedTokens: 0 }, start]), [], 'an answer of the cache')
  assert.equal(unknown([{ ...start, owner: 'batch b1' }, start]), [])
})

test.run()
