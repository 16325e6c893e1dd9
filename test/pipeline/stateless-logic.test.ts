import { concatMap, from, map, mergeMap, Observable, of, startWith, Subject, take, tap, throwError } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import { definePipeline, type InputOf } from '../../src/pipeline/define-pipeline.ts'
import { StatelessLogic, type StatelessOptions } from '../../src/pipeline/stateless-logic.ts'
import { storedEvent } from '../cep/stored-event.ts'
import { Alarm, High, Reading } from '../support/kill-fixture.ts'

const test = suite('a stateless pipeline at work')

type Input = Observable<InputOf<readonly [typeof Reading]>>

function start(pipeline: (readings$: Input) => Observable<EventDraft>, options: StatelessOptions = {}) {
  const broken: MillraceError[] = []
  const declared = definePipeline({
    name: 'p',
    version: 1,
    from: { stream: 'T', events: [Reading] },
    to: { stream: 'T', events: [High] },
    recovery: { mode: 'stateless' },
    pipeline,
  })
  return { logic: new StatelessLogic(declared, (error) => broken.push(error), options), broken }
}

function reading(value: number): StoredEvent {
  return storedEvent({ type: 'reading.taken', data: { machine: 'm', value } })
}

function values(drafts: readonly EventDraft[]): number[] {
  return drafts.map(({ data }) => (data as { value: number }).value)
}

function thrown(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('outputs of a turn are what was emitted in it, in order, and no other turn’s', () => {
  const { logic } = start((readings$) =>
    readings$.pipe(
      mergeMap(({ data }) => from(Array.from({ length: data.value }, (_, n) => High({ ...data, value: n })))),
    ),
  )
  assert.equal(
    [3, 0, 2, 0, 1].map((value) => values(logic.turn(reading(value)))),
    [[0, 1, 2], [], [0, 1], [], [0]],
  )
  logic.stop()
})

test('an error ends its turn without outputs, and the pipeline goes on as a new one', () => {
  let subscribed = 0
  const { logic, broken } = start(
    (readings$) => {
      subscribed += 1
      return readings$.pipe(
        concatMap(({ data }) => (data.value < 0 ? from([1]).pipe(map(() => data)) : of(data))),
        mergeMap((data) => of(High(data), High({ ...data, value: data.value + 1 }))),
        tap(({ data }) => {
          if (data.value === 8) throw new Error('eight')
        }),
      )
    },
    { probeEvery: 0 },
  )
  assert.equal(values(logic.turn(reading(1))), [1, 2])
  // 7 was emitted before 8 made it throw: an event has all of its outputs or none
  assert.match(String(thrown(() => logic.turn(reading(7)))), 'eight')
  assert.equal(values(logic.turn(reading(2))), [2, 3])
  assert.is(subscribed, 2)
  assert.equal(broken, [])
})

test('an error that is notified, not thrown, is the same', () => {
  const { logic } = start((readings$) =>
    readings$.pipe(mergeMap(({ data }) => (data.value > 5 ? throwError(() => 'a string') : of(High(data))))),
  )
  assert.is(
    thrown(() => logic.turn(reading(6))),
    'a string',
  )
  assert.equal(values(logic.turn(reading(4))), [4])
})

const notAllowed: readonly [what: string, draft: unknown][] = [
  ['an event that it does not declare', Alarm({ machine: 'm', count: 1, sum: 1 })],
  ['nothing', undefined],
  ['null', null],
  ['a text', 'high'],
  ['an object without a type', { value: 1 }],
]
for (const [what, draft] of notAllowed)
  test(`putting out ${what} is at fault alone, and the pipeline goes on`, () => {
    const { logic, broken } = start((readings$) =>
      readings$.pipe(mergeMap(({ data }) => (data.value === 1 ? of(High(data), draft as EventDraft) : of(High(data))))),
    )
    const error = thrown(() => logic.turn(reading(1)))
    assert.ok(isFault(error, 'OUTPUT_INVALID'), String(error))
    assert.equal(values(logic.turn(reading(2))), [2])
    assert.equal(broken, [])
  })

test('K1 an emission between turns breaks the pipeline at once, and every later turn says so', () => {
  const side = new Subject<EventDraft>()
  const { logic, broken } = start(
    (readings$) =>
      new Observable((subscriber) => {
        side.subscribe(subscriber)
        return readings$.pipe(map(({ data }) => High(data))).subscribe(subscriber)
      }),
  )
  assert.equal(values(logic.turn(reading(1))), [1])
  side.next(High({ machine: 'm', value: 2 }))
  assert.equal(
    broken.map(({ code }) => code),
    ['EMITTED_OUTSIDE_TURN'],
  )
  side.next(High({ machine: 'm', value: 3 }))
  assert.is(broken.length, 1, 'it is told once')
  assert.ok(
    isFault(
      thrown(() => logic.turn(reading(4))),
      'EMITTED_OUTSIDE_TURN',
    ),
  )
})

test('K1 what is emitted while it is subscribed belongs to no event and breaks it', () => {
  const { broken } = start((readings$) =>
    readings$.pipe(
      map(({ data }) => High(data)),
      startWith(High({ machine: 'm', value: 0 })),
    ),
  )
  assert.is(broken[0]?.code, 'EMITTED_OUTSIDE_TURN')
})

test('a completion in a turn stops the pipeline: later events would be lost in silence', () => {
  const { logic, broken } = start((readings$) =>
    readings$.pipe(
      take(1),
      map(({ data }) => High(data)),
    ),
  )
  assert.ok(
    isFault(
      thrown(() => logic.turn(reading(1))),
      'PIPELINE_COMPLETED',
    ),
  )
  assert.ok(
    isFault(
      thrown(() => logic.turn(reading(2))),
      'PIPELINE_COMPLETED',
    ),
  )
  assert.equal(broken, [], 'whoever asked for the turn has been told')
})

test('a completion between turns stops it too', () => {
  const { broken } = start(() => of())
  assert.is(broken[0]?.code, 'PIPELINE_COMPLETED')
})

test('an error between turns stops it: no event is to blame', () => {
  const side = new Subject<never>()
  const { logic, broken } = start(() => side)
  side.error(new Error('by itself'))
  assert.is(broken[0]?.code, 'EMITTED_OUTSIDE_TURN')
  assert.match(broken[0]?.detail ?? '', 'p failed: by itself')
  assert.ok(thrown(() => logic.turn(reading(1))))
})

test('stopping it ends what it subscribed to', () => {
  let ended = 0
  const { logic } = start(
    (readings$) =>
      new Observable((subscriber) => {
        const inner = readings$.pipe(map(({ data }) => High(data))).subscribe(subscriber)
        return () => {
          ended += 1
          inner.unsubscribe()
        }
      }),
  )
  logic.stop()
  assert.is(ended, 1)
})

test.run()
