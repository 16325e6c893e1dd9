import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../../src/error/millrace-error.ts'
import { installGuard } from '../../../src/time/guard.ts'
import { keyed, Out, Running, seen, storedMemory, type Context } from './declared.ts'

const test = suite('a keyed pipeline at work')

function thrown(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** Counts the events of a key and tells the count at the end of each second. */
const counting = keyed({
  onEvent: (c) => {
    c.state ??= { count: 0 }
    if (c.state.count === 0) c.timer('end', (Math.floor(c.now / 1_000) + 1) * 1_000)
    c.state.count += 1
  },
  onTimer: (c) => {
    c.emit(Out([c.key, c.now, c.state.count]))
    c.clear()
  },
})

test('a window by hand: every key for itself, ended by time, and nothing is left of it', () => {
  const running = new Running(counting)
  assert.equal(running.turn(seen('a', 100), seen('b', 200), seen('a', 999)), [])
  assert.equal(running.turn(seen('c', 1_000)), [
    ['a', 1_000, 2],
    ['b', 1_000, 1],
  ])
  assert.is(running.logic.due, 2_000)
  assert.equal(running.tick(2_000), [['c', 2_000, 1]])
  running.logic.takeChanges()
  assert.is(running.logic.keys, 0)
  assert.is(running.logic.due, Infinity)
})

test('E2 timers fire by time, key and name, before an event of the same time, whatever the order they were set in', () => {
  const running = new Running(
    keyed({
      onEvent: (c, { data }) => {
        if (data.value === 0) for (const name of ['y', 'x']) c.timer(name, 50)
        else c.emit(Out('event'))
      },
      onTimer: (c, name) => c.emit(Out([c.key, name, c.now])),
    }),
  )
  running.turn(seen('b', 1), seen('a', 2))
  assert.equal(running.turn(seen('c', 50, 1)), [
    ['a', 'x', 50],
    ['a', 'y', 50],
    ['b', 'x', 50],
    ['b', 'y', 50],
    'event',
  ])
})

test('E2 event time does not go back when the clock of the server does', () => {
  const running = new Running(keyed({ onEvent: (c) => c.emit(Out(c.now)) }))
  assert.equal(running.turn(seen('a', 100), seen('a', 60), seen('a', 101)), [100, 100, 101])
})

test('a timer that is set again is moved, earlier and later; one that is cancelled does not fire', () => {
  const running = new Running(
    keyed({
      onEvent: (c, { data }) => (data.value < 0 ? c.cancelTimer('t') : c.timer('t', data.value)),
      onTimer: (c) => c.emit(Out(c.now)),
    }),
  )
  assert.equal(running.turn(seen('a', 1, 50), seen('a', 2, 80)), [])
  assert.equal(running.tick(60), [])
  assert.equal(running.turn(seen('a', 61, 65)), [])
  assert.is(running.logic.due, 65)
  assert.equal(running.tick(90), [65])
  assert.equal(running.turn(seen('a', 100, 120), seen('a', 101, -1)), [])
  assert.equal(running.tick(200), [])
})

test('a timer for a time that has passed fires after its handler, now', () => {
  const running = new Running(
    keyed({
      onEvent: (c) => {
        c.timer('t', c.now - 500)
        c.emit(Out('event'))
      },
      onTimer: (c) => c.emit(Out(c.now)),
    }),
  )
  assert.equal(running.turn(seen('a', 1_000)), ['event', 1_000])
})

test('timers that follow each other at one instant without end stop the processor', () => {
  const running = new Running(keyed({ onEvent: (c) => c.timer('t', 0), onTimer: (c) => c.timer('t', 0) }))
  assert.ok(
    isFault(
      thrown(() => running.turn(seen('a', 1_000))),
      'TIMER_LIVELOCK',
    ),
  )
})

test('what comes from a timer has its time and, as its cause, the last event of its key, also after a restart', () => {
  const before = new Running(counting)
  before.turn(seen('a', 100, 0, { id: 'first', correlationId: 'c' }))
  before.turn(seen('a', 200, 0, { id: 'second', correlationId: 'c' }), seen('b', 300, 0, { id: 'third' }))
  for (const { logic } of [before, new Running(counting, storedMemory(before.logic))]) {
    const drafts = logic.turn(seen('z', 5_000), () => assert.unreachable())
    assert.equal(
      drafts.map(({ time, correlationId, causationId }) => [time, correlationId, causationId]),
      [
        [1_000, 'c', 'second'],
        [1_000, 'third', 'third'],
      ],
    )
  }
})

test('what comes from an event has the event time and the event as its cause, unless it says so itself', () => {
  const running = new Running(
    keyed({
      onEvent: (c) => {
        c.emit(Out(1))
        c.emit({ ...Out(2), time: 7, causationId: 'own' })
      },
    }),
  )
  assert.equal(
    running
      .drafts(seen('a', 5, 0, { id: 'x', time: 2 }))
      .map(({ time, correlationId, causationId }) => [time, correlationId, causationId]),
    [
      [5, 'x', 'x'],
      [7, 'x', 'own'],
    ],
  )
})

test('the state is there from init, for each key its own', () => {
  const running = new Running(
    keyed({
      init: (key: string) => ({ key, list: [] }),
      onEvent: (c, { data }) => {
        c.state.list.push(data.value)
        c.emit(Out(c.state))
      },
    }),
  )
  assert.equal(
    JSON.stringify(running.turn(seen('a', 1, 1), seen('b', 1, 2), seen('a', 1, 3)).at(-1)),
    '{"key":"a","list":[1,3]}',
  )
})

test('a key that was cleared begins anew, and is gone from what is stored', () => {
  const running = new Running(
    keyed({
      onEvent: (c, { data }) => {
        if (data.value === 0) return c.clear()
        c.state = { seen: data.value, before: c.state?.seen ?? null }
        c.emit(Out(c.state.before))
      },
    }),
  )
  running.turn(seen('a', 1, 1))
  assert.is(running.logic.takeChanges().length, 1)
  running.turn(seen('a', 2, 0))
  assert.equal(running.logic.takeChanges(), [{ key: 'a', value: undefined }])
  assert.equal(running.turn(seen('a', 3, 2), seen('a', 3, 0), seen('a', 3, 4)), [null, null])
  running.turn(seen('b', 4, 1), seen('b', 4, 0))
  assert.equal(
    running.logic.takeChanges().map(({ key }) => key),
    ['a'],
    'a key that was never stored leaves no trace',
  )
})

test('chance is the same for the same event and the same timer, and other for others', () => {
  const declaration = keyed({
    onEvent: (c) => {
      c.emit(Out([c.random(), c.random(), c.uuid()]))
      c.timer('t', 100)
    },
    onTimer: (c) => c.emit(Out(c.uuid())),
  })
  const run = (): unknown[] => {
    const running = new Running(declaration)
    const events = [seen('a', 1, 0, { id: 'x' }), seen('a', 2, 0, { id: 'y' }), seen('b', 2, 0, { id: 'x' })]
    return [...running.turn(...events), ...running.tick(100)]
  }
  const drawn = run()
  assert.equal(run(), drawn)
  assert.is(new Set(drawn.flat()).size, 11)
})

test('asking the machine for time stops the processor, also when the handler hides it', () => {
  installGuard()
  const hide = (c: Context): void => {
    try {
      c.state = Date.now()
    } catch {
      c.state = 0
    }
  }
  for (const onEvent of [(c: Context) => c.emit(Out(Date.now())), hide])
    assert.ok(
      isFault(
        thrown(() => new Running(keyed({ onEvent })).turn(seen('a', 1))),
        'NONDETERMINISTIC_CALL',
      ),
    )
})

test('keyBy decides what state belongs to; what is no text is at fault', () => {
  const running = new Running(
    keyed({
      spread: 'one',
      keyBy: ({ data }: { data: { value: number } }) => (data.value > 0 ? 'high' : (undefined as unknown as string)),
      onEvent: (c) => c.emit(Out(c.key)),
    }),
  )
  assert.equal(running.turn(seen('a', 1, 1), seen('b', 1, 0)), ['high'])
  assert.match(running.messages().join(), /keyBy gave undefined/)
})

test('entries can be read slowly while keys come, change and go, and the reading ends', () => {
  const running = new Running(
    keyed({
      onEvent: (c, { data }) => (data.value < 0 ? c.clear() : void (c.state = data.value)),
    }),
  )
  running.turn(...['a', 'b', 'c', 'd'].map((key) => seen(key, 1, 1)))
  running.logic.takeChanges()
  const read: string[] = []
  for (const { key } of running.logic.entries()) {
    read.push(key)
    // what was read goes and comes back, at the end of the order: it must not be met again without end
    running.turn(seen(key, 2, -1))
    running.logic.takeChanges()
    running.turn(seen(key, 2, 5), seen(`${key}2`, 2, 5))
    if (key === 'a') running.turn(seen('c', 2, 7))
    if (key === 'b') running.logic.takeChanges()
    assert.ok(read.length < 10)
  }
  assert.equal(read.slice(0, 4), ['a', 'b', 'c', 'd'])
})

test.run()
