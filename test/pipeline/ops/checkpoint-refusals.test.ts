import { bufferCount, catchError, delay, filter, from, map, mergeMap, of, pipe, scan, Subject } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installGuard } from '../../../src/time/guard.ts'
import type { PipelineDeclaration } from '../../../src/pipeline/define-pipeline.ts'
import { seen, storedMemory } from '../keyed/declared.ts'
import { buffers, checkpoint, Checkpointed, refusal, sums, value } from './at-work.ts'

const test = suite('what mode checkpoint refuses')

test('Z3 a timer of an operator of rxjs is refused, and named, also when the pipeline catches its error', () => {
  const wait = delay<number>(10)
  const hide = pipe(
    delay<number>(10),
    catchError(() => of(0)),
  )
  for (const operator of [wait, hide]) {
    const running = new Checkpointed(checkpoint((events$) => events$.pipe(value, operator)))
    const error = refusal(() => running.turn(seen('a', 1, 1)))
    assert.is(error.code, 'CHECKPOINT_FOREIGN_TIMER')
    assert.match(error.detail, /key "a": (timer|delay)\w*, 10 ms/)
  }
})

test('Z3 state of operators of rxjs and of variables is found by a twin that is brought back from what is stored', () => {
  let count = 0
  const pipelines = [
    checkpoint((events$) =>
      events$.pipe(
        value,
        scan((total, each) => total + each, 0),
      ),
    ),
    checkpoint((events$) => events$.pipe(value, bufferCount(3))),
    checkpoint((events$) => {
      let own = 0
      return events$.pipe(map(() => (own += 1)))
    }),
    checkpoint((events$) => events$.pipe(map(() => (count += 1)))),
  ]
  for (const pipeline of pipelines) {
    const running = new Checkpointed(pipeline, { kind: 'fresh' }, { probeEvery: 7 })
    const error = refusal(() => {
      for (let at = 0; at < 30; at++) running.turn(seen('a', at, at))
    })
    assert.is(error.code, 'CHECKPOINT_FOREIGN_STATE')
    assert.match(error.detail, /^tested: key "a", thing\.seen e\d+ of \/test: (output|brought back)/)
  }
})

test('Z3 no twin differs from a pipeline without state of its own', () => {
  const pure = checkpoint((events$, { ops }) =>
    events$.pipe(
      value,
      filter((each) => each % 3 > 0),
      mergeMap((each) => from([each, each + 1])),
      ops.scan((total, each) => total + each, 0),
      ops.debounceTime(2),
    ),
  )
  const running = new Checkpointed(pure, { kind: 'fresh' }, { probeEvery: 1, probeFor: 3 })
  for (let at = 0; at < 100; at++) running.turn(seen(`k${at % 3}`, at * 2, at))
  assert.equal(running.failures, [])
})

test('an operator inside of an event’s own may not outlive it; one that ends with it may', () => {
  const inside = (lasting: boolean): PipelineDeclaration =>
    checkpoint((events$, { ops }) =>
      events$.pipe(
        mergeMap((event) =>
          (lasting ? events$.pipe(value) : of(event).pipe(value)).pipe(ops.scan((total, each) => total + each, 1)),
        ),
      ),
    )
  assert.equal(new Checkpointed(inside(false)).turn(seen('a', 1), seen('a', 2)), [1, 1])
  const error = refusal(() => new Checkpointed(inside(true)).turn(seen('a', 1)))
  assert.is(error.code, 'CHECKPOINT_OPERATOR_INSIDE')
  assert.match(error.detail, /scan, thing\.seen/)
})

test('a step is refused', () => {
  const running = new Checkpointed(
    checkpoint((events$, { step }) => events$.pipe(mergeMap(() => step('score', () => 1)))),
  )
  assert.is(refusal(() => running.turn(seen('a', 1))).code, 'STEP_UNAVAILABLE')
})

test('what comes out between turns stops it', () => {
  const side = new Subject<number>()
  const running = new Checkpointed(checkpoint(() => side))
  running.turn(seen('a', 1))
  side.next(1)
  assert.equal(
    running.broken.map(({ code }) => code),
    ['EMITTED_OUTSIDE_TURN'],
  )
  assert.is(refusal(() => running.turn(seen('a', 2))).code, 'EMITTED_OUTSIDE_TURN')
})

test('asking the machine for chance stops it, in the pipeline, in keyBy and in the time of events', () => {
  installGuard()
  const chance = (): number => Math.random()
  const all = [
    checkpoint((events$) => events$.pipe(map(chance))),
    checkpoint((events$) => events$, { spread: 'one', keyBy: () => String(chance()) }),
    checkpoint((events$) => events$, { time: { of: chance, lateness: 0 } }),
  ]
  for (const pipeline of all)
    assert.is(refusal(() => new Checkpointed(pipeline).turn(seen('a', 1))).code, 'NONDETERMINISTIC_CALL')
})

test('D2 state of other operators is an error at start that names both', () => {
  const before = new Checkpointed(buffers)
  before.turn(seen('a', 1, 1))
  const memory = storedMemory(before.logic)
  assert.match(
    refusal(() => new Checkpointed(sums, memory)).message,
    /KEYED_STATE_UNREADABLE.*key "a": stored of bufferTime\(100,,Infinity\), there are scan/,
  )
  assert.is(
    refusal(
      () =>
        new Checkpointed(
          checkpoint((events$) => events$),
          memory,
        ),
    ).code,
    'KEYED_STATE_UNREADABLE',
  )
})

test('a value that JSON would not bring back is found before it is stored, with its key, operator and path', () => {
  const dates = checkpoint((events$, { ops }) =>
    events$.pipe(
      map(({ data }) => ({ when: new Date(data.value) })),
      ops.bufferCount(2),
      filter(() => false),
    ),
  )
  const running = new Checkpointed(dates)
  running.turn(seen('a', 1, 1))
  const error = refusal(() => running.logic.takeChanges?.())
  assert.is(error.code, 'KEYED_STATE_NOT_STORABLE')
  assert.match(error.detail, /key "a": bufferCount\(2,2\) holds at \/1\/0\/0\/when a Date/)
})

test('whole events can be held: members that are undefined come back as absent', () => {
  const pairs = checkpoint((events$, { ops }) =>
    events$.pipe(
      ops.pairwise(),
      map(([one, other]) => [one.id, one.correlationId ?? null, other.id]),
    ),
  )
  const before = new Checkpointed(pairs)
  before.turn(seen('a', 1, 1, { id: 'x' }))
  const after = new Checkpointed(pairs, storedMemory(before.logic))
  assert.equal(after.turn(seen('a', 2, 1, { id: 'y' })), [['x', null, 'y']])
})

test.run()
