import { catchError, from, map, mergeMap, NEVER, of, Subject, merge, takeUntil } from 'rxjs'
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventDraft } from '../../../src/event/event.ts'
import { installGuard } from '../../../src/time/guard.ts'
import { declare, Made, reading, Rig, thrown, type Build } from './rig.ts'

const test = suite('what a replay could not repeat')

test.before(installGuard)

const rig = (pipeline: Build): Rig => new Rig(declare(pipeline))

test('a promise in the pipeline stops it when it emits, and says what, where and what to use', async () => {
  const run = rig((events$) => events$.pipe(mergeMap(({ data }) => from(Promise.resolve(Made(data.v, { key: 'x' }))))))
  run.give(0)
  run.give(1, 'b')
  assert.equal(run.broken, [])
  await wait(1)
  assert.is(run.broken.length, 1, 'it is told once')
  const [error] = run.broken
  assert.is(error?.code, 'EMITTED_OUTSIDE_TURN')
  for (const part of [
    'p put out reading.made (key "x") for key "a"',
    'after the turn of sequence 2',
    'promise',
    'ctx.step',
  ])
    assert.ok(error?.detail.includes(part), `${part} in ${error?.detail}`)
  assert.is(
    thrown(() => run.give(2)),
    error,
  )
})

test('so does a Subject that other code pushes to, an error of it, and setTimeout', async () => {
  const side = new Subject<EventDraft>()
  const run = rig((events$) => merge(events$.pipe(mergeMap(() => NEVER)), side))
  run.give(0)
  side.error(new Error('by itself'))
  assert.match(run.broken[0]?.detail ?? '', 'p failed: by itself for key "a"')
  const timed = rig((events$) =>
    events$.pipe(mergeMap(() => new Promise<EventDraft>((resolve) => setTimeout(() => resolve(Made(1)), 1)))),
  )
  timed.give(0)
  await wait(5)
  assert.is(timed.broken[0]?.code, 'EMITTED_OUTSIDE_TURN')
})

test('a completion, by a promise that ends it', async () => {
  const run = rig((events$) =>
    events$.pipe(
      map(({ data }) => Made(data.v)),
      takeUntil(from(Promise.resolve())),
    ),
  )
  run.give(0)
  await wait(1)
  assert.match(run.broken[0]?.detail ?? '', /^p completed for key "a", after the turn of sequence 1/)
})

test('a step that is asked for outside of a turn', async () => {
  const run = rig((events$, { step }) =>
    events$.pipe(
      mergeMap(() => from(Promise.resolve(1))),
      mergeMap(() => step('score', () => 1)),
      map((v) => Made(v)),
    ),
  )
  run.give(0)
  await wait(1)
  assert.match(run.broken[0]?.detail ?? '', /asked for step score/)
})

test('asking the machine for time or chance, with the call, its place and what to use instead', () => {
  const calls: readonly [() => unknown, RegExp][] = [
    [() => Date.now(), /Date\.now\(\).*ctx\.now\(\)/],
    [() => Math.random(), /Math\.random\(\).*ctx\.random\(\)/],
    [() => crypto.randomUUID(), /randomUUID\(\).*ctx\.uuid\(\)/],
    [() => performance.now(), /performance\.now\(\).*ctx\.now\(\)/],
  ]
  for (const [call, detail] of calls) {
    const run = rig((events$) => events$.pipe(map(() => Made(call()))))
    const error = thrown(() => run.give(0))
    assert.is(error.code, 'NONDETERMINISTIC_CALL')
    assert.match(error.detail, detail)
    assert.match(error.detail, /^p in the turn of sequence 1: /)
    assert.match(error.detail, 'slot-nondeterminism.test')
  }
})

test('also when the pipeline catches that, and in keyBy and time.of', () => {
  const caught = rig((events$) =>
    events$.pipe(
      mergeMap(() =>
        of(1).pipe(
          map(() => Made(Date.now())),
          catchError(() => of(Made(0))),
        ),
      ),
    ),
  )
  assert.is(thrown(() => caught.give(0)).code, 'NONDETERMINISTIC_CALL')
  const echo: Build = (events$) => events$.pipe(map(({ data }) => Made(data.v)))
  const keyed = new Rig(declare(echo, { spread: 'one', keyBy: () => String(Math.random()) }))
  assert.is(thrown(() => keyed.give(0)).code, 'NONDETERMINISTIC_CALL')
  const timed = new Rig(declare(echo, { time: { of: () => Date.now(), lateness: 0 } }))
  assert.is(thrown(() => timed.give(0)).code, 'NONDETERMINISTIC_CALL')
})

test('state outside of the pipeline shows in the hash of a replay', () => {
  let count = 0
  const pipeline = declare((events$) => events$.pipe(map(() => Made((count += 1)))))
  const run = new Rig(pipeline)
  run.give(0)
  run.give(1)
  const start = run.logic.replayStart()
  const again = new Rig(pipeline, { kind: 'replay', basis: start?.basis, origin: 0 })
  again.give(0)
  again.give(1)
  assert.is.not(again.logic.hash, run.logic.hash)
})

test('two pipelines at work at once do not fire each other’s timers', () => {
  const counted: Build = (events$, { now }) =>
    events$.pipe(
      mergeMap(() => of(1)),
      map(() => Made(now())),
    )
  const [one, other] = [rig(counted), rig(counted)]
  assert.equal([one.give(10), other.give(5), one.give(20), other.give(6)], [[10], [5], [20], [6]])
})

test('a turn inside of another stops it', () => {
  const inner = rig((events$) => events$.pipe(map(({ data }) => Made(data.v))))
  const outer = rig((events$) =>
    events$.pipe(
      map(({ data }) => {
        inner.logic.turn(reading(1, 0), () => undefined)
        return Made(data.v)
      }),
    ),
  )
  assert.is(thrown(() => outer.give(0)).code, 'TURN_NESTED')
})

test.run()
