import { map, mergeMap, of, scan, tap, throwError, timer } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventDraft } from '../../../src/event/event.ts'
import { declare, Made, Rig, thrown, type Build, type Options } from './rig.ts'

const test = suite('a slot that fails')

const rig = (pipeline: Build, options?: Options): Rig => new Rig(declare(pipeline, options))
const sums: Build = (events$) =>
  events$.pipe(
    map(({ data: { v } }) => {
      if (v < 0) throw new Error(`minus at ${v}`)
      return v
    }),
    scan((sum, v) => sum + v, 0),
    map((sum) => Made(sum)),
  )
const stopping: Options = { onError: 'stop' }

test('S4 its event becomes a dead letter, it begins anew, and other keys do not notice', () => {
  const run = rig(sums)
  assert.equal([run.give(0, 'a', 1), run.give(0, 'b', 10), run.give(0, 'a', -1)], [[1], [10], []])
  assert.equal(run.reasons, ['minus at -1'])
  assert.equal([run.give(0, 'a', 1), run.give(0, 'b', 10)], [[1], [20]])
  assert.is(run.logic.replayStart()?.sequence, 1, 'its life goes on, for it depends on its events alone')
})

test('S4 what others put out in that turn stays, as does what it put out before it failed', () => {
  const run = rig((events$) =>
    events$.pipe(
      mergeMap(({ data: { k, v } }) =>
        v < 0 ? throwError(() => new Error('no')) : timer(10).pipe(map(() => Made(k))),
      ),
    ),
  )
  run.give(0, 'a', 1)
  assert.equal(run.give(10, 'b', -1), ['a'])
  assert.equal(run.reasons, ['no'])
  const both = rig((events$) =>
    events$.pipe(
      mergeMap(() => of(Made(1), Made(2))),
      tap(({ data }) => {
        if (data === 2) throw new Error('two')
      }),
    ),
  )
  assert.equal(both.give(0), [1])
  assert.equal(both.reasons, ['two'])
})

test('S4 a timer that throws says whose and when: the event of the turn is not to blame', () => {
  const run = rig((events$) =>
    events$.pipe(
      mergeMap(() =>
        timer(10).pipe(
          map((): EventDraft => {
            throw new Error('late')
          }),
        ),
      ),
    ),
  )
  run.give(0, 'a')
  run.give(50, 'b')
  assert.is(run.failures.length, 1)
  assert.match(run.reasons[0] ?? '', /^SLOT_FAILED: key "a", .*at 10: late$/)
  run.give(60, 'a')
  run.tick(100)
  assert.is(run.failures.length, 3, 'it began anew, as b did')
})

test('S4 work on ctx.scheduler that throws ends itself only', () => {
  const run = rig((events$, { scheduler }) =>
    events$.pipe(
      map(({ data }) => {
        scheduler.schedule(() => {
          throw new Error('by hand')
        }, 10)
        return Made(data.v)
      }),
    ),
  )
  assert.equal([run.give(0), run.give(20)], [[1], [2]])
  assert.match(run.reasons[0] ?? '', /^SLOT_FAILED: a timer at 10: by hand$/)
})

test('what cannot be built fails its event, and is built again for the next', () => {
  let builds = 0
  const run = rig((events$) => {
    builds += 1
    if (builds === 1) throw new Error('not yet')
    return events$.pipe(map(({ data }) => Made(data.v)))
  })
  assert.equal([run.give(0), run.give(1)], [[], [2]])
  assert.equal([run.reasons, builds], [['not yet'], 2])
})

const wrong: readonly [what: string, draft: unknown][] = [
  ['an event that it does not declare', { type: 'reading.taken', version: 1, data: {} }],
  ['nothing', undefined],
  ['a text', 'high'],
  ['data that has no JSON', Made(10n)],
]
for (const [what, draft] of wrong)
  test(`putting out ${what} is at fault alone, and its state goes on`, () => {
    const run = rig((events$) =>
      events$.pipe(
        scan((sum, { data }) => sum + data.v, 0),
        mergeMap((sum) => of(draft as EventDraft, Made(sum))),
      ),
    )
    assert.equal([run.give(0, 'a', 1), run.give(0, 'a', 1)], [[1], [2]])
    assert.is(run.reasons.length, 2)
    assert.match(run.reasons[0] ?? '', /^OUTPUT_INVALID/)
    const { hash } = run.logic
    const alone = rig((events$) =>
      events$.pipe(
        scan((sum, { data }) => sum + data.v, 0),
        map((sum) => Made(sum)),
      ),
    )
    alone.give(0, 'a', 1)
    alone.give(0, 'a', 1)
    assert.is(hash, alone.logic.hash, 'the hash is over what was put out')
  })

test('a keyBy that throws fails its event only', () => {
  const run = rig(sums, { keyBy: ({ data: { k, v } }) => (v === 2 ? (undefined as never) : k) })
  assert.equal([run.give(0, 'a', 1), run.give(0, 'a', 2), run.give(0, 'a', 3)], [[1], [], [4]])
  assert.match(run.reasons[0] ?? '', 'keyBy gave undefined')
})

test('a key that is not the one under which the event was published stops it, unless one process has every key', () => {
  const byOther: Options = { keyBy: ({ data }) => `x${data.k}` }
  const error = thrown(() => rig(sums, byOther).give(0))
  assert.is(error.code, 'KEY_NOT_OF_PARTITION')
  assert.match(error.detail, /p: reading\.taken at sequence 1 was published under "a", keyBy gives "xa"/)
  assert.match(error.advice, 'spread: "one"')
  assert.equal(rig(sums, { ...byOther, spread: 'one' }).give(0, 'a', 1), [1])
  const keyless = thrown(() => rig(sums, { keyBy: () => 'x' }).give(0, 'a', 1, { key: undefined }))
  assert.match(keyless.detail, 'without a key')
})

test('with onError stop it stops before the event, and says where and why', () => {
  const run = rig(sums, stopping)
  run.give(0, 'a', 1)
  const error = thrown(() => run.give(0, 'a', -7))
  assert.is(error.code, 'PIPELINE_FAILED')
  assert.match(error.detail, /^p in the turn of sequence 2: key "a" at 0: minus at -7$/)
  assert.is((error.cause as Error).message, 'minus at -7')
  assert.is(
    thrown(() => run.give(0, 'b', 1)),
    error,
    'and does not go on',
  )
})

test('with onError stop a replay passes over what fails in slots that have gone: they see only their last events', () => {
  const strict: Build = (events$) =>
    events$.pipe(
      scan((seen, { data }) => {
        if (seen === 0 && data.v !== 1) throw new Error('must begin with 1')
        return data.v
      }, 0),
      map((v) => Made(v)),
    )
  const first = rig(strict, stopping)
  first.give(0, 'gone', 1)
  first.give(1, 'lives', 1)
  first.give(2, 'gone', 2)
  for (const at of [900, 1_500]) first.give(at, 'lives', 2)
  const start = first.logic.replayStart()
  assert.is(start?.sequence, 2)
  const again = new Rig(declare(strict, stopping), { kind: 'replay', basis: start?.basis, origin: 0 })
  again.give(1, 'lives', 1, { sequence: 2 })
  again.give(2, 'gone', 2, { sequence: 3 })
  again.give(900, 'lives', 2)
  again.give(1_500, 'lives', 2)
  assert.is(again.logic.hash, first.logic.hash)
  assert.throws(() => again.give(1_501, 'new', 2), /PIPELINE_FAILED/, 'what is new is no replay')
})

test.run()
