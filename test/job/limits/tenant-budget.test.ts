import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MOST_BATCHED } from '../../../src/job/limits/batched-calls.ts'
import {
  larger,
  NOTHING_SPENT,
  readBudgetState,
  released,
  reserve,
  spentOf,
} from '../../../src/job/limits/tenant-budget.ts'

const test = suite('tenant budget')
const step = fc.record({
  job: fc.integer({ min: 0, max: 5 }),
  kind: fc.constantFrom('begin', 'bill', 'bill again', 'give up', 'come again'),
  may: fc.integer({ min: 1, max: 40 }),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
  after: fc.integer({ min: 0, max: 30 }),
})

test('BU1 BU2 whoever begins, bills and comes again: what is spent and held stays below the hard limit, each attempt counts once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const limits = { soft: 60, hard: 100 }
      let [state, now, total] = [NOTHING_SPENT, 0, 0]
      const attempts = new Map<string, number>()
      const running = new Map<string, { readonly attempt: number; readonly may: number }>()
      const last = new Map<string, { readonly attempt: number }>()
      for (const { job: number, kind, may, part, after } of steps) {
        const job = `j${number}`
        now += after
        const run = running.get(job)
        if (kind === 'begin' && run === undefined) {
          const attempt = (attempts.get(job) ?? 0) + 1
          const asked = { job, attempt, nanos: may, demotable: true, now, leaseMs: 1_000_000 }
          const answer = reserve(state, limits, asked)
          if (answer.kind === 'held') {
            ;({ state } = answer)
            running.set(job, { attempt, may })
            attempts.set(job, attempt)
          } else if (answer.kind === 'hard') assert.ok(spentOf(state) + may > limits.hard)
          else if (answer.kind === 'soft') assert.ok(spentOf(state) >= limits.soft)
        } else if (kind === 'bill' && run !== undefined) {
          total += Math.floor(part * run.may)
          state = released(state, { job, attempt: run.attempt, name: 'n', total })
          last.set(job, run)
          running.delete(job)
        } else if (kind === 'bill again') {
          state = released(state, { job, attempt: last.get(job)?.attempt ?? 0, name: 'n', total })
        } else if (kind === 'give up' && run !== undefined) {
          state = released(state, { job, attempt: run.attempt, name: 'n', total: undefined })
          running.delete(job)
        } else if (kind === 'come again' && run !== undefined) {
          const asked = { job, attempt: run.attempt, nanos: run.may, demotable: false, now, leaseMs: 1_000_000 }
          const answer = reserve(state, limits, asked)
          if (answer.kind === 'held') ({ state } = answer)
        }
        const held = Object.values(state.held).reduce((sum, { nanos }) => sum + nanos, 0)
        assert.is(spentOf(state), total)
        assert.is(
          held,
          [...running.values()].reduce((sum, one) => sum + one.may, 0),
        )
        assert.ok(total + held <= limits.hard, `${total} spent, ${held} held`)
      }
    }),
  )
})

test('what a killed process held is free when its time is over, or when the job begins again', () => {
  const limits = { soft: undefined, hard: 10 }
  const asked = { job: 'a', attempt: 1, nanos: 8, demotable: true, now: 0, leaseMs: 100 }
  const first = reserve(NOTHING_SPENT, limits, asked)
  const { state } = first.kind === 'held' ? first : { state: NOTHING_SPENT }
  assert.is(reserve(state, limits, { ...asked, job: 'b', now: 99 }).kind, 'later')
  assert.is(reserve(state, limits, { ...asked, job: 'b', now: 100 }).kind, 'held')
  const second = reserve(state, limits, { ...asked, attempt: 2 })
  assert.ok(second.kind === 'held' && second.state.held['a']?.attempt === 2)
  const late = second.kind === 'held' ? second.state : state
  assert.is(released(late, { job: 'a', attempt: 1, name: 'n', total: 3 }).held['a']?.attempt, 2, 'it is not its hold')
  assert.equal(reserve(late, limits, asked), { kind: 'held', state: late })
})

test('BU3 calls of batches are held for up to a number, far below what a message takes; all others are held for as before', () => {
  const limits = { soft: undefined, hard: 1e15 }
  const asked = { attempt: 1, nanos: 123_456_789_012, demotable: false, now: 1.7e12, leaseMs: 9e7 }
  // the longest name of a job, and an id twice as long as the usual ones
  const jobOf = (at: number): string => `${'n'.repeat(60)} ${String(at).padStart(72, '0')}`
  let state = NOTHING_SPENT
  for (let at = 0; at < MOST_BATCHED; at++) {
    const verdict = reserve(state, limits, { ...asked, job: jobOf(at), most: MOST_BATCHED })
    if (verdict.kind !== 'held') throw new Error(verdict.kind)
    state = verdict.state
  }
  const bytes = Buffer.byteLength(JSON.stringify(state))
  assert.ok(bytes < 524_288, `${bytes} bytes`)
  const next = { ...asked, job: 'next', most: MOST_BATCHED }
  assert.is(reserve(state, limits, next).kind, 'many')
  assert.is(reserve(state, limits, { ...next, job: jobOf(7), attempt: 2 }).kind, 'held', 'it has its place')
  assert.is(reserve(state, limits, { ...asked, job: 'next' }).kind, 'held', 'a call of another lane')
  const freed = released(state, { job: jobOf(7), attempt: 1, name: 'n', total: undefined })
  assert.is(reserve(freed, limits, next).kind, 'held')
})

test('sums only grow, and what cannot be read is nothing', () => {
  assert.equal(larger({ a: 1, b: 5 }, { a: 3, b: 2, c: 1 }), { a: 3, b: 5, c: 1 })
  for (const value of [undefined, null, 5, {}, { spent: 1, held: {} }]) assert.is(readBudgetState(value), NOTHING_SPENT)
})

test.run()
