import * as rx from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault, type MillraceError } from '../../../src/error/millrace-error.ts'
import { StatelessLogic, type StatelessOptions } from '../../../src/pipeline/stateless-logic.ts'
import { installGuard } from '../../../src/time/guard.ts'
import { OPERATORS } from '../slots/chains.ts'
import { declare, Made, reading, type Build, type Options } from '../slots/rig.ts'

const test = suite('a stateless pipeline that is none')

test.before(installGuard)

// oxlint-disable-next-line typescript/no-explicit-any -- what flows through any operator
type Operator = rx.OperatorFunction<any, any>

function start(pipeline: Build, options: Options = {}, probe: StatelessOptions = {}) {
  const broken: MillraceError[] = []
  const declared = declare(pipeline, { recovery: { mode: 'stateless' }, ...options })
  return { broken, logic: new StatelessLogic(declared, (error) => void broken.push(error), probe) }
}

/** Runs 200 events of five keys through it. @returns what it broke with */
function breaks(pipeline: Build, options?: Options): MillraceError | undefined {
  const { broken, logic } = start(pipeline, options)
  let state = 7
  for (let sequence = 1; sequence <= 200 && broken.length === 0; sequence++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    try {
      logic.turn(reading(sequence, sequence * 7, `k${state % 5}`, (state >>> 8) % 20))
    } catch (error) {
      if (isFault(error) && error.disposition === 'crash') return error
      throw error
    }
  }
  return broken[0]
}

const through =
  (operator: Operator): Build =>
  (events$) =>
    events$.pipe(
      rx.map(({ data }) => data.v),
      operator,
      rx.map((v) => Made(v)),
    )

/** What these put out at the end of their input never comes: it has none. */
const NEVER_SEEN = ['endWith', 'toArray', 'reduce']
const HARMLESS = ['map', 'filter', 'timestamp', 'asap', 'asyncZero', 'queue']
for (const [name, make] of Object.entries(OPERATORS).filter(([name]) => ![...HARMLESS, ...NEVER_SEEN].includes(name)))
  test(`${name} is found`, () => {
    const error = breaks(through(make(30, 2)))
    const codes = ['PIPELINE_KEEPS_STATE', 'PIPELINE_COMPLETED', 'EMITTED_OUTSIDE_TURN']
    assert.ok(error !== undefined && codes.includes(error.code), String(error))
  })

const named: readonly [operator: Operator, name: RegExp][] = [
  [rx.bufferTime(100), /timers wait when it was subscribed to.*Likely cause: bufferTime/],
  [rx.debounceTime(100), /1 timers wait after the turn of sequence 1.*Likely cause: debounceTime/],
  [
    rx.scan((sum: number, v: number) => sum + v, 0),
    /sequence \d+ gave .*; without the events before it .*Likely cause: scan/,
  ],
  [rx.pairwise(), /Likely cause: pairwise/],
  [rx.distinctUntilChanged((a: number, b: number) => a % 2 === b % 2), /Likely cause: distinctUntilChanged/],
  [
    rx.pipe(
      rx.groupBy((v: number) => v % 2),
      rx.mergeMap((group) => group.pipe(rx.map((_, at) => at))),
    ),
    /Likely cause: groupBy/,
  ],
  [rx.delay(5), /Likely cause: .*delay/],
]
for (const [operator, name] of named)
  test(`it says which operator keeps the state: ${name.source.split(' ').at(-1)}`, () => {
    const error = breaks(through(operator))
    assert.is(error?.code, 'PIPELINE_KEEPS_STATE')
    assert.match(error?.detail ?? '', name)
    assert.match(error?.advice ?? '', 'slots')
  })

const harmless: readonly [what: string, build: Build][] = [
  ...HARMLESS.map((name) => [name, through((OPERATORS[name] ?? (() => rx.identity))(30, 2))] as [string, Build]),
  ['concatMap of something that is there', through(rx.concatMap((v) => rx.of(v, v + 1)))],
  ['mergeMap of a list', through(rx.mergeMap((v) => Array.from({ length: v }, (_, at) => at)))],
  [
    'a subject that is shared',
    through((source) => rx.merge(source.pipe(rx.filter((v) => v > 5)), source.pipe(rx.share()))),
  ],
  ['catchError within', through(rx.mergeMap((v) => rx.throwError(() => v).pipe(rx.catchError((e) => rx.of(e)))))],
  [
    'chance, ids and time of ctx',
    (events$, { random, uuid, now }) => events$.pipe(rx.map(() => Made([random(), uuid(), now(), random()]))),
  ],
]
for (const [what, build] of harmless) test(`no false alarm: ${what}`, () => assert.is(breaks(build), undefined))

test('what follows from outside of the pipeline is found, too', () => {
  let count = 0
  assert.is(breaks((events$) => events$.pipe(rx.map(() => Made((count += 1)))))?.code, 'PIPELINE_KEEPS_STATE')
})

test('time is that of the event, whatever came before', () => {
  const { logic } = start((events$, { now }) => events$.pipe(rx.map(() => Made(now()))))
  const times = [50, 20, 90].map((at, index) => logic.turn(reading(index + 1, at)).map(({ data }) => data))
  assert.equal(times, [[50], [20], [90]])
})

test('chance and ids follow from the event', () => {
  const build: Build = (events$, ctx) => events$.pipe(rx.map(() => Made([ctx.random(), ctx.uuid(), ctx.key])))
  const drawn = (): unknown[] => {
    const { logic } = start(build)
    return [1, 2].flatMap((sequence) => logic.turn(reading(sequence, 0)).map(({ data }) => data))
  }
  assert.equal(drawn(), drawn())
  const [one, other] = drawn()
  assert.not.equal(one, other)
})

test('a step is refused, for its result would come after the turn: at the first event, and by name', () => {
  const build: Build = (events$, ctx) => events$.pipe(rx.mergeMap(() => ctx.step('score', () => Made(1))))
  const error = breaks(build)
  assert.is(error?.code, 'STEP_UNAVAILABLE')
  assert.is(error?.detail, 'p: step score, in mode stateless, the default without keyBy')
  assert.is(breaks(build, { keyBy: ({ data }) => data.k })?.detail, 'p: step score, in mode stateless')
})

test('a step is refused also where the pipeline catches that', () => {
  const error = breaks((events$, ctx) =>
    events$.pipe(
      rx.mergeMap(() => ctx.step('score', () => Made(1))),
      rx.catchError(() => rx.of(Made(0))),
    ),
  )
  assert.is(error?.detail, 'p: step score, in mode stateless, the default without keyBy')
})

test('a step that is taken out of the context is refused at the start, before any event', () => {
  const { broken } = start((events$, { step }) => events$.pipe(rx.mergeMap(() => step('score', () => Made(1)))))
  assert.equal(
    broken.map(({ code, detail }) => [code, detail]),
    [['STEP_UNAVAILABLE', 'p: it takes step out of its context, in mode stateless, the default without keyBy']],
  )
})

test('asking the machine stops it, also where the pipeline catches that', () => {
  const caught = breaks((events$) =>
    events$.pipe(rx.mergeMap(() => rx.defer(() => rx.of(Made(Date.now()))).pipe(rx.catchError(() => rx.of(Made(0)))))),
  )
  assert.is(caught?.code, 'NONDETERMINISTIC_CALL')
})

test('a keyBy that is not the published key stops it, for its outputs would have no order by that key', () => {
  const echo: Build = (events$) => events$.pipe(rx.map(({ data }) => Made(data.v)))
  assert.is(breaks(echo, { keyBy: () => 'all' })?.code, 'KEY_NOT_OF_PARTITION')
  assert.is(breaks(echo, { keyBy: () => 'all', spread: 'one' }), undefined)
})

test('with onError stop it stops before the event', () => {
  const { logic } = start(
    (events$) =>
      events$.pipe(
        rx.map(({ data }) => {
          if (data.v === 2) throw new Error('two')
          return Made(data.v)
        }),
      ),
    { onError: 'stop' },
  )
  logic.turn(reading(1, 0))
  assert.throws(() => logic.turn(reading(2, 0)), /PIPELINE_FAILED.*sequence 2: two/)
})

test('one that cannot be built is broken when it starts', () => {
  const { broken } = start(() => {
    throw new Error('no')
  })
  assert.is(broken[0]?.code, 'PIPELINE_FAILED')
})

test.run()
