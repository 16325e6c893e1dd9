// The parts of the lane of batches that need no server: put together, found again, read.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newId } from '../../../src/broker/new-id.ts'
import type { BatchEvent } from '../../../src/job/batch/batch-event.ts'
import { BatchFormer } from '../../../src/job/batch/batch-former.ts'
import type { ProviderBatch } from '../../../src/job/batch/batch-client.ts'
import { DEFAULT_BATCH, pollDelay, shownWithin } from '../../../src/job/batch/batch-rules.ts'
import { evolveBatch, holds, NO_BATCH, type BatchState } from '../../../src/job/batch/batch-state.ts'
import { BatchTimes, isUrgentFor } from '../../../src/job/batch/batch-times.ts'
import { customIdOf, decideLost, ownerOf, placeOf } from '../../../src/job/batch/find-lost-batch.ts'
import { outcomeOf } from '../../../src/job/batch/read-answer.ts'
import { isFault } from '../../../src/error/millrace-error.ts'

const test = suite('parts of the lane of batches')

test('whatever comes, each is in one batch, in order, none larger than it may be, and the first waits no longer than it may', () => {
  const limits = { size: 4, bytes: 100, age: 50 }
  const item = fc.record({
    bytes: fc.integer({ min: 1, max: 120 }),
    pause: fc.integer({ min: 0, max: 40 }),
    leaves: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(item, { maxLength: 40 }), (items) => {
      const former = new BatchFormer<number>(limits)
      const formed: (readonly number[])[] = []
      const since = new Map<number, number>()
      let now = 0
      for (const [at, { bytes, pause, leaves }] of items.entries()) {
        now += pause
        if (former.dueAt !== undefined && former.dueAt <= now) formed.push(former.take())
        since.set(at, now)
        formed.push(...former.add(at, bytes, now))
        if (leaves && former.remove(at)) since.delete(at)
        if (former.dueAt !== undefined) assert.ok(former.dueAt - now <= limits.age)
      }
      formed.push(former.take())
      assert.is(former.size, 0)
      assert.equal(formed.flat(), [...since.keys()], 'each once, in order')
      for (const one of formed) {
        const bytes = one.reduce((sum, at) => sum + (items[at]?.bytes ?? 0), 0)
        assert.ok(one.length <= limits.size && (bytes <= limits.bytes || one.length === 1))
      }
    }),
  )
})

test('BA3 a batch holds its attempts from the moment it is on the log until each has what became of it', () => {
  const jobs = [{ id: 'a', attempt: 2, tokens: 5 }]
  const events: readonly BatchEvent[] = [
    { type: 'batch.collected', at: 1, jobs },
    { type: 'batch.submitted', at: 2, provider: 'p' },
    { type: 'batch.dropped', at: 3, reason: 'r', again: 4, lane: 'batch' },
    { type: 'batch.settled', at: 5 },
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 8 }), (history) => {
      let state: BatchState = NO_BATCH
      for (const event of history)
        try {
          const before = state
          state = evolveBatch(state, event)
          if (before.kind === 'submitted' && before.stray && state.kind === 'submitted') assert.unreachable()
        } catch (error) {
          assert.ok(isFault(error, 'JOB_HISTORY_INVALID'))
        }
      assert.is(holds(state, 'a', 2), state.kind !== 'none' && state.kind !== 'settled')
      assert.not.ok(holds(state, 'a', 1) || holds(state, 'b', 2))
    }),
  )
})

const batch = (id: string, more: Partial<ProviderBatch> = {}): ProviderBatch => ({
  id,
  createdAt: 10_000,
  endedAt: undefined,
  total: 3,
  done: 0,
  ...more,
})

test('BA5 of a batch that may have been sent nothing is asked again before it is sure that it was not', () => {
  const lost = { batch: 'ours', at: 9_000, size: 3, shownWithin: shownWithin(DEFAULT_BATCH), skew: DEFAULT_BATCH.skew }
  const end = lost.at + lost.shownWithin
  const decide = (batches: readonly ProviderBatch[], now: number, owners: Record<string, string> = {}): string => {
    const verdict = decideLost(lost, batches, new Map(Object.entries(owners)), now)
    return verdict.kind === 'look' ? verdict.found.id : verdict.kind
  }
  assert.is(decide([], end - 1), 'wait', 'it may show yet')
  assert.is(decide([], end), 'never')
  assert.is(decide([batch('p')], end + 1e9), 'wait', 'whose it is, nobody can know before it ends')
  assert.is(decide([batch('p'), batch('q', { endedAt: 20_000 })], end), 'q')
  assert.is(decide([batch('q', { endedAt: 20_000 })], end, { q: 'other' }), 'never')
  assert.is(
    decide([batch('q', { endedAt: 20_000 })], end, { q: 'ours' }),
    'q',
    'who looked for another one has seen it',
  )
  assert.is(decide([batch('q', { endedAt: 20_000 })], end - 1, { q: 'other' }), 'wait')
  const unlike: readonly Partial<ProviderBatch>[] = [
    { total: 4 },
    { createdAt: lost.at - lost.skew - 1 },
    { createdAt: end + lost.skew + 1 },
  ]
  for (const one of unlike) assert.is(decide([batch('p', { ...one, endedAt: 1 })], end), 'never')
})

test('the id of a question is one that the API takes, and says whose it is', () => {
  const [ours, other] = [newId(), newId()]
  for (const place of [0, 1, 899]) {
    assert.match(customIdOf(ours, place), /^[a-zA-Z0-9_-]{1,64}$/)
    assert.is(placeOf(ours, customIdOf(ours, place)), place)
    assert.is(placeOf(other, customIdOf(ours, place)), undefined)
    assert.is(ownerOf(customIdOf(ours, place)), ours)
  }
  for (const strange of ['', ours, `${ours}-`, `${ours}-x`, `${ours}--1`, `${ours}-1.5`, 'job-1'])
    assert.is(placeOf(ours, strange), undefined, strange)
})

test('a batch is asked for the more rarely the older it is; what batches take is learnt from those that were seen', () => {
  assert.equal(
    [0, 60_000, 1e9].map((age) => pollDelay(DEFAULT_BATCH, age)),
    [5_000, 15_000, 60_000],
  )
  const times = new BatchTimes(3_600_000)
  for (let at = 0; at < 4; at++) times.saw(1_000)
  assert.is(times.usual, 3_600_000, 'a few say nothing')
  for (let at = 1; at <= 100; at++) times.saw(at * 100)
  assert.is(times.usual, 9_800, '95 of the last 50')
  assert.equal([isUrgentFor(undefined, 0, 10), isUrgentFor(9, 0, 10), isUrgentFor(10, 0, 10)], [false, true, false])
})

test('an answer of a batch is what it would be by itself, priced as of a batch whatever it says', () => {
  const message = (more: object) => ({
    kind: 'succeeded' as const,
    message: {
      id: 'm',
      model: 'x',
      content: [{ type: 'text', text: '{' }, { type: 'thinking' }, { type: 'text', text: '}' }],
      usage: { input_tokens: 3 },
      ...more,
    },
  })
  const good = outcomeOf(message({ stop_reason: 'end_turn' }), 'x', 0)
  assert.equal([good.kind, good.kind === 'valid' && good.text], ['valid', '{}'])
  assert.equal([good.billed?.usage.input, good.billed?.usage.terms], [3, ['batch']])
  const said = outcomeOf(message({ usage: { input_tokens: 3, service_tier: 'batch' } }), 'x', 0)
  assert.equal(said.billed?.usage.terms, ['batch'])
  assert.is(outcomeOf(message({ stop_reason: 'max_tokens' }), 'x', 0).kind, 'truncated')
  assert.is(outcomeOf(message({ stop_reason: 'refusal' }), 'x', 0).kind, 'refused')
  assert.is(outcomeOf(message({ content: 7, usage: 'no' }), 'x', 0).kind, 'valid', 'judged by its schema then')
  for (const kind of ['expired', 'canceled'] as const) {
    const outcome = outcomeOf({ kind }, 'x', 0)
    assert.equal([outcome.kind === 'failed' && outcome.failure.kind, outcome.billed], ['retry', undefined])
  }
})

test.run()
