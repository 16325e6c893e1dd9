import { catchError, concatMap, debounceTime, map, mergeMap, of, switchMap, timeout, toArray } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StepRequest } from '../../../src/kernel/step-request.ts'
import { declare, Made, Rig, type Build, type Options } from './rig.ts'

const test = suite('steps')

const rig = (pipeline: Build, options?: Options): Rig => new Rig(declare(pipeline, options))
const scored: Build = (events$, ctx) =>
  events$.pipe(
    concatMap(({ data }) => ctx.step('score', () => data.v)),
    map((score) => Made(score)),
  )

function only(run: Rig): StepRequest {
  const [request, ...more] = run.logic.takeSteps()
  assert.is(more.length, 0)
  if (request === undefined) throw new Error('no step')
  return request
}

test('a step is asked for in the turn, runs elsewhere, and its result comes in a turn of its own', async () => {
  const run = rig(scored)
  assert.equal(run.give(5, 'a', 7, { correlationId: 'talk' }), [])
  const request = only(run)
  assert.equal([request.name, request.timeoutMs, request.attempts], ['score', 30_000, 3])
  assert.is(await request.run(request.id, new AbortController().signal), 7)
  assert.equal(run.succeed(request, 42), [42])
  const [draft] = run.drafts
  assert.equal([draft?.time, draft?.correlationId, draft?.causationId], [5, 'talk', 'e1'])
  assert.equal(run.logic.takeSteps(), [])
})

test('an error reaches the pipeline with its name and message', () => {
  const run = rig((events$, { step }) =>
    events$.pipe(
      mergeMap(() => step('ask', () => 1).pipe(catchError((error: Error) => of(`${error.name}: ${error.message}`)))),
      map((text) => Made(text)),
    ),
  )
  run.give(0)
  const error = { name: 'RangeError', message: 'too far' }
  assert.equal(run.settle(only(run).id, { ok: false, error }), ['RangeError: too far'])
})

test('one that the pipeline does not catch fails its slot, which says whose it was', () => {
  const run = rig(scored)
  run.give(3, 'b')
  run.settle(only(run).id, { ok: false, error: { name: 'Error', message: 'no answer' } })
  assert.match(run.reasons[0] ?? '', /SLOT_FAILED: key "b", .*at 3: no answer/)
})

test('ids and idempotency keys are the same in a replay, and others for each step', async () => {
  const twice: Build = (events$, { step }) =>
    events$.pipe(
      mergeMap(() => step('one', (key) => key).pipe(concatMap((v) => step('two', (key) => [v, key])))),
      map((v) => Made(v)),
    )
  const keys: string[] = []
  const ids: string[] = []
  for (let life = 0; life < 2; life++) {
    const run = rig(twice)
    run.give(0, 'a')
    run.give(0, 'b')
    const [first, second] = run.logic.takeSteps()
    if (first === undefined || second === undefined) throw new Error('no steps')
    run.succeed(first, 1)
    for (const request of [first, second, only(run)]) {
      ids.push(request.id)
      keys.push((await request.run('ignored', new AbortController().signal)) as string)
    }
  }
  assert.equal(ids.slice(0, 3), ids.slice(3))
  assert.is(new Set(ids).size, 3)
  assert.equal(JSON.stringify(keys.slice(0, 3)), JSON.stringify(keys.slice(3)))
  assert.is(new Set(keys.map((key) => JSON.stringify(key))).size, 3)
  assert.match(JSON.stringify(keys), /^\["[0-9a-f-]{36}"/)
})

test('what nobody waits for any more is aborted, and its late result changes nothing', () => {
  const run = rig((events$, { step }) =>
    events$.pipe(
      switchMap(({ data }) => step('score', () => data.v)),
      map((score) => Made(score)),
    ),
  )
  run.give(0, 'a', 1)
  const first = only(run)
  const { signal } = first
  run.give(0, 'a', 2)
  assert.is(signal?.aborted, true)
  assert.equal(run.succeed(first, 1), [])
  assert.equal(run.succeed(only(run), 2), [2])
  assert.equal(run.settle('no such step', { ok: true, value: 1 }), [])
})

test('one that was cancelled before it was taken is not asked for', () => {
  const run = rig((events$, { step }) =>
    events$.pipe(
      switchMap(() => step('score', () => 1)),
      map((v) => Made(v)),
    ),
  )
  run.give(0)
  run.give(0)
  assert.is(run.logic.takeSteps().length, 1)
})

test('S3 an event that would fire a timer waits for the step, one that fires none does not', () => {
  const run = rig((events$, { step }) =>
    events$.pipe(
      mergeMap(({ data }) => step('score', () => data.v).pipe(timeout(5_000))),
      map((score) => Made(score)),
    ),
  )
  run.give(0, 'a')
  assert.is(run.logic.due, Number.POSITIVE_INFINITY, 'and time does not pass by itself')
  assert.equal(
    [0, 999, 1_000, 6_000].map((at) => run.logic.admits(run.ahead(at))),
    [true, true, false, false],
  )
  run.succeed(only(run), 1)
  assert.is(run.logic.admits(run.ahead(6_000)), true)
  assert.is(run.logic.due, 1_000)
})

test('S3 in catch-up neither a timeout nor an idle slot overtakes a step: of 300 none is lost', () => {
  const run = rig(
    (events$, { step }) =>
      events$.pipe(
        debounceTime(500),
        mergeMap(({ data }) => step('score', () => data.v).pipe(timeout(1_000))),
        map((score) => Made(score)),
      ),
    { recovery: { mode: 'slots', idle: 2_000 } },
  )
  const open: StepRequest[] = []
  for (let at = 0; at < 300; at++) {
    const time = at * 10_000
    while (!run.logic.admits(run.ahead(time, `k${at % 7}`)) || run.logic.advance(run.ahead(time, `k${at % 7}`), fail)) {
      open.push(...run.logic.takeSteps())
      const request = open.shift()
      if (request === undefined) throw new Error('it waits for nothing')
      run.succeed(request, at)
    }
    run.give(time, `k${at % 7}`)
  }
  while (run.logic.due !== Number.POSITIVE_INFINITY || open.length > 0) {
    if (open.length === 0) run.tick(run.logic.due)
    open.push(...run.logic.takeSteps())
    const request = open.shift()
    if (request !== undefined) run.succeed(request, 299)
  }
  assert.is(run.drafts.length, 300)
  assert.equal(run.failures, [])

  function fail(error: unknown): void {
    throw error
  }
})

test('S3 what time put out before it stopped for a step belongs to that tick, the rest to the turn', () => {
  const run = rig((events$, { step }) =>
    events$.pipe(
      debounceTime(500),
      concatMap(({ data }) => (data.k === 'a' ? of(data.v) : step('score', () => data.v))),
      map((score) => Made(score)),
    ),
  )
  const never = (): void => undefined
  run.give(0, 'a', 1)
  run.give(100, 'b', 2)
  const early = run.logic.advance(run.ahead(5_000), never)
  assert.equal([early?.time, early?.outputs.map(({ data }) => data)], [600, [1]])
  assert.is(run.logic.admits(run.ahead(5_000)), false)
  run.succeed(only(run), 22)
  run.give(620, 'a', 3)
  assert.is(run.logic.advance(run.ahead(5_000), never), undefined, 'nothing asks for a step')
  assert.equal(run.give(5_000, 'c', 4), [3], 'the turn has what time has put out')
})

test('a session that ends may still ask for steps, one after the other', () => {
  const run = rig((events$, { step }) =>
    events$.pipe(
      toArray(),
      concatMap((batch) => step('score', () => batch.length)),
      concatMap((score) => step('explain', () => score)),
      map((text) => Made(text)),
    ),
  )
  run.give(0)
  run.give(10)
  run.tick(run.logic.due)
  assert.is(run.logic.due, Number.POSITIVE_INFINITY)
  run.succeed(only(run), 2)
  assert.equal(run.succeed(only(run), 'two'), ['two'])
  run.tick(run.logic.due)
  assert.is(run.logic.replayStart(), undefined)
})

test('a step that its slot does not outlive is cancelled with it', () => {
  const run = rig(scored)
  run.give(0)
  const { signal } = only(run)
  run.give(9_000, 'b') // a kernel would have waited
  assert.is(signal?.aborted, true)
})

test('after a replay every step that is still waited for is asked for again, and none else', () => {
  const first = rig(scored)
  first.give(0, 'a', 1)
  first.give(0, 'b', 2)
  first.give(1, 'a', 3)
  const [one] = first.logic.takeSteps()
  if (one === undefined) throw new Error('no step')
  first.succeed(one, 10)
  const [next] = first.logic.takeSteps()
  const start = first.logic.replayStart()
  const again = new Rig(declare(scored), { kind: 'replay', basis: start?.basis, origin: 0 })
  again.give(0, 'a', 1)
  again.give(0, 'b', 2)
  again.give(1, 'a', 3)
  again.succeed(one, 10)
  assert.is(again.logic.hash, first.logic.hash)
  assert.equal(
    again.logic.takeSteps().map(({ id }) => id),
    ['2/b/0', next?.id],
  )
})

const refused: readonly [what: string, use: Build][] = [
  ['no name', (events$, { step }) => events$.pipe(mergeMap(() => step('', () => Made(1))))],
  ['no function', (events$, { step }) => events$.pipe(mergeMap(() => step<ReturnType<typeof Made>>('a', 1 as never)))],
  ['no attempts', (events$, { step }) => events$.pipe(mergeMap(() => step('a', () => Made(1), { attempts: 0 })))],
  ['no time', (events$, { step }) => events$.pipe(mergeMap(() => step('a', () => Made(1), { timeout: 0 })))],
]
for (const [what, use] of refused)
  test(`a step with ${what} fails its event`, () => {
    const run = rig(use)
    run.give(0)
    assert.match(run.reasons[0] ?? '', /^STEP_INVALID/)
  })

test('a timeout that cannot be read says so', () => {
  const run = rig((events$, { step }) => events$.pipe(mergeMap(() => step('a', () => Made(1), { timeout: 'soon' }))))
  run.give(0)
  assert.match(run.reasons[0] ?? '', /^DURATION_INVALID/)
})

test('stopping the pipeline cancels its steps', () => {
  const run = rig(scored)
  run.give(0)
  const { signal } = only(run)
  run.logic.stop()
  assert.is(signal?.aborted, true)
})

for (const [what, build] of [
  [
    'a default',
    (events$, ctx = {} as never) =>
      events$.pipe(mergeMap(() => ctx.step('s', () => Made(1)).pipe(catchError(() => of(Made(0)))))),
  ],
  // oxlint-disable-next-line prefer-rest-params -- what is refused
  [
    'arguments',
    function (events$) {
      const ctx = arguments[1] as Parameters<Build>[1]
      return events$.pipe(mergeMap(() => ctx.step('s', () => Made(1))))
    },
  ],
] as [string, Build][])
  test(`S3 a ctx that cannot be seen, by ${what}, gives no step: time would overtake it`, () => {
    const run = rig(build)
    assert.throws(() => run.give(0), /STEP_UNAVAILABLE.*write \(events\$, ctx\)/)
  })

test.run()
