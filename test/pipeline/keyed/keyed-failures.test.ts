import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fault, isFault, type MillraceError } from '../../../src/error/millrace-error.ts'
import { Alarm } from '../../support/kill-fixture.ts'
import { keyed, Out, Running, seen, storedMemory, type Context } from './declared.ts'

const test = suite('handlers that fail')

function refusal(action: () => unknown): MillraceError {
  try {
    action()
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** A handler that changes everything there is, and fails when the value of the event is below zero. */
const thorough = keyed({
  onEvent: (c, { data }) => {
    c.state ??= { list: [], deep: { last: 0 } }
    c.state.list.push(data.value)
    c.state.deep.last = data.value
    c.emit(Out([c.key, ...c.state.list]))
    if (data.value < 0) {
      c.timer('moved', c.now + 1)
      c.timer('late', c.now + 9_000)
      c.cancelTimer('gone')
      c.timer('new', c.now + 1)
      c.timer('new', c.now + 2)
      c.state = { replaced: true }
      if (data.value === -2) c.clear()
      throw new Error('below zero')
    }
    for (const name of ['moved', 'late', 'gone']) c.timer(name, c.now + 100)
  },
  onTimer: (c, name) => c.emit(Out([name, c.now, c.state.deep.last])),
})

for (const value of [-1, -2])
  test(`H1 a handler that throws (${value}) has done nothing: state in place, timers, outputs`, () => {
    const running = new Running(thorough)
    running.turn(seen('a', 0, 1))
    assert.equal(running.turn(seen('a', 10, value)), [])
    assert.equal(running.messages(), ['Error: below zero'])
    const memory = storedMemory(running.logic)
    for (const each of [running, new Running(thorough, memory)]) {
      assert.is(each.logic.due, 100)
      assert.equal(each.tick(99), [])
      assert.equal(each.turn(seen('a', 100, 2)), [
        ['gone', 100, 1],
        ['late', 100, 1],
        ['moved', 100, 1],
        ['a', 1, 2],
      ])
    }
  })

test('H1 the first event of a key that fails leaves no key', () => {
  const running = new Running(thorough)
  running.turn(seen('a', 0, -1))
  assert.equal(running.logic.takeChanges(), [])
  assert.is(running.logic.keys, 0)
  assert.is(running.logic.due, Infinity)
})

test('E3 an event that fails does not take with it what the timers of other keys put out', () => {
  const running = new Running(thorough)
  running.turn(seen('a', 0, 1))
  assert.is(running.turn(seen('b', 500, -1)).length, 3)
  assert.is(running.failures.length, 1)
})

test('a timer that fails is gone and has done nothing; the event and other timers are as usual', () => {
  const running = new Running(
    keyed({
      onEvent: (c) => {
        c.state = { list: [] }
        c.timer('bad', c.now + 10)
        c.timer('good', c.now + 10)
      },
      onTimer: (c, name) => {
        c.state.list.push(name)
        c.emit(Out([c.key, name, ...c.state.list]))
        if (name === 'bad') throw new Error('no')
      },
    }),
  )
  assert.equal(running.turn(seen('a', 0), seen('b', 20)), [['a', 'good', 'good']])
  assert.match(running.messages().join(), /KEYED_TIMER_FAILED.*tested: timer bad of key "a": no/)
  assert.is((running.failures[0] as MillraceError).disposition, 'dead-letter')
})

test('an error that must stop the processor does, from an event and from a timer', () => {
  const stop = (): never => {
    throw fault('KEYED_STATE_NOT_STORABLE', 'on purpose')
  }
  const inEvent = new Running(keyed({ onEvent: stop }))
  assert.is(refusal(() => inEvent.turn(seen('a', 0))).code, 'KEYED_STATE_NOT_STORABLE')
  const inTimer = new Running(keyed({ onEvent: (c) => c.timer('t', 10), onTimer: stop }))
  inTimer.turn(seen('a', 0))
  assert.is(refusal(() => inTimer.tick(10)).code, 'KEYED_STATE_NOT_STORABLE')
  assert.equal([inEvent.failures, inTimer.failures], [[], []])
})

test('H2 a context that is used when its handler has returned is refused, and changes nothing', () => {
  const contexts: Context[] = []
  const running = new Running(
    keyed({
      onEvent: (c) => {
        c.state = 1
        contexts.push(c)
      },
      onTimer: () => undefined,
    }),
  )
  running.turn(seen('a', 0))
  const [context] = contexts as [Context]
  const uses: (() => unknown)[] = [
    () => context.key,
    () => context.state as unknown,
    () => (context.state = 2),
    () => context.now,
    () => context.random(),
    () => context.emit(Out(1)),
    () => context.timer('t', 5),
    () => context.cancelTimer('t'),
    () => context.clear(),
  ]
  for (const use of uses) assert.is(refusal(use).code, 'EMITTED_OUTSIDE_TURN')
  assert.equal(running.logic.takeChanges(), [{ key: 'a', value: { v: 1, s: 1 } }])
})

const notAllowed: readonly [what: string, draft: unknown][] = [
  ['an event that it does not declare', Alarm({ machine: 'm', count: 1, sum: 1 })],
  ['nothing', undefined],
  ['a text', 'x'],
]
for (const [what, draft] of notAllowed)
  test(`putting out ${what} is the fault of the event alone`, () => {
    const running = new Running(
      keyed({
        onEvent: (c, { data }) => {
          c.emit(Out(data.value))
          if (data.value === 1) c.emit(draft as ReturnType<typeof Out>)
        },
      }),
    )
    assert.equal(running.turn(seen('a', 0, 1), seen('a', 0, 2)), [2])
    assert.ok(isFault(running.failures[0], 'OUTPUT_INVALID'))
  })

const wrongTimers: readonly [what: string, name: unknown, at: unknown][] = [
  ['without a name', '', 1],
  ['at NaN', 't', Number.NaN],
  ['at infinity', 't', Infinity],
  ['at a text', 't', '2020'],
]
for (const [what, name, at] of wrongTimers)
  test(`a timer ${what} is refused`, () => {
    const running = new Running(
      keyed({ onEvent: (c) => c.timer(name as string, at as number), onTimer: () => undefined }),
    )
    running.turn(seen('a', 0))
    assert.ok(isFault(running.failures[0], 'KEYED_TIMER_INVALID'), running.messages().join())
  })

test('a timer without onTimer is refused', () => {
  const running = new Running(keyed({ onEvent: (c) => c.timer('t', 5) }))
  running.turn(seen('a', 0))
  assert.ok(isFault(running.failures[0], 'KEYED_TIMER_INVALID'))
})

test('a handler that returns a promise is at fault, and what it does later does not count', async () => {
  const running = new Running(
    keyed({
      onEvent: async (c) => {
        c.state = { n: 1 }
        await Promise.resolve()
        c.emit(Out('too late'))
      },
    }),
  )
  assert.equal(running.turn(seen('a', 0)), [])
  assert.ok(isFault(running.failures[0], 'KEYED_ASYNC'))
  await new Promise(setImmediate)
  assert.equal(running.turn(seen('a', 0)), [])
  assert.equal(running.logic.takeChanges(), [])
})

const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic
const notPlain: readonly [what: string, state: unknown, text: RegExp][] = [
  ['undefined', { n: 1, last: undefined }, /key "a".*\/last undefined/],
  ['a function', { f: () => 1 }, /\/f a function/],
  ['a Date', { at: { when: new Date(0) } }, /\/at\/when a Date/],
  ['a Map', new Map(), /at its top a Map/],
  ['NaN', [1, Number.NaN], /\/1 NaN/],
  ['a bigint', { n: 1n }, /\/n a bigint/],
  ['a cycle', cyclic, /\/self\/self.* a cycle/],
]
for (const [what, state, text] of notPlain)
  test(`a state with ${what} is refused with its key and path, and the key keeps the state it had`, () => {
    const running = new Running(
      keyed({
        onEvent: (c, { data }) => {
          c.emit(Out(c.state ?? null))
          c.state = data.value === 1 ? state : 'good'
        },
      }),
    )
    assert.equal(running.turn(seen('a', 0, 0), seen('a', 0, 1), seen('a', 0, 0)), [null, 'good'])
    assert.ok(isFault(running.failures[0], 'KEYED_STATE_INVALID'))
    assert.match(running.messages().join(), text)
  })

const hidden = keyed({
  onEvent: (c, { data }) => {
    c.state ??= { many: Array.from({ length: 100 }, () => 1), list: [] }
    if (data.value === 1) c.state.many[0] = undefined
    if (data.value === 2) c.state.list.push(c.state.many)
  },
})

test('what a glance does not see is found before it is stored, and stops the processor', () => {
  const running = new Running(hidden)
  running.turn(seen('a', 0, 1))
  assert.equal(running.failures, [])
  const error = refusal(() => running.logic.takeChanges())
  assert.is(error.code, 'KEYED_STATE_NOT_STORABLE')
  assert.match(error.detail, /key "a".*\/many\/0 undefined/)
  assert.is(refusal(() => running.turn(seen('a', 1, 0))).code, 'KEYED_STATE_NOT_STORABLE')
})

test('where it is verified, everything is seen at once, and objects that are there twice', () => {
  const running = new Running(hidden, { kind: 'fresh' }, { strict: true })
  running.turn(seen('a', 0, 1), seen('a', 0, 2))
  assert.match(running.messages()[0] ?? '', /KEYED_STATE_INVALID.*\/many\/0 undefined/)
  assert.match(running.messages()[1] ?? '', /KEYED_STATE_INVALID.*\/list\/0 an object that is there twice/)
})

test.run()
