import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isFault, type MillraceError } from '../../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import type { KeyedDeclaration } from '../../../src/pipeline/define-keyed.ts'
import { In, keyed, Out, Running, seen, storedMemory } from './declared.ts'

const test = suite('a keyed pipeline that starts again')

const onEvent = (c: { state: unknown; emit(draft: ReturnType<typeof Out>): void }): void => c.emit(Out(c.state ?? null))

/** What version 1 left: one key with `state`. */
function left(state: unknown): ReturnType<typeof storedMemory> {
  const before = new Running(keyed({ onEvent: (c) => void (c.state = state) }))
  before.turn(seen('a', 0))
  return storedMemory(before.logic)
}

function refused(declaration: KeyedDeclaration, state: unknown): MillraceError {
  try {
    void new Running(declaration, left(state))
  } catch (error) {
    if (isFault(error, 'KEYED_STATE_UNREADABLE')) return error
    throw error
  }
  throw new Error('it was read')
}

test('a state of an earlier version goes through migrate, and is written in the new form when its key changes', () => {
  const declaration = keyed({
    version: 3,
    state: z.object({ total: z.number() }),
    migrate: (state: unknown, from: number) => ({ total: (state as { sum: number }).sum * from }),
    onEvent,
  })
  const running = new Running(declaration, left({ sum: 7 }))
  assert.equal(running.logic.takeChanges(), [])
  assert.equal(running.turn(seen('a', 1)), [{ total: 7 }])
  assert.equal(running.logic.takeChanges(), [{ key: 'a', value: { v: 3, s: { total: 7 } } }])
  assert.equal([...running.logic.entries()], [{ key: 'a', value: { v: 3, s: { total: 7 } } }])
})

test('without migrate, a state of an earlier version is kept when it has the shape of this one', () => {
  const shape = z.object({ sum: z.number(), extra: z.number().default(4) })
  const running = new Running(keyed({ version: 2, state: shape, onEvent }), left({ sum: 7 }))
  assert.equal(running.turn(seen('a', 1)), [{ sum: 7, extra: 4 }])
})

test('a state that cannot be read is an error at start that names key, version and place', () => {
  const schema = z.object({ list: z.array(z.number()) })
  assert.match(
    refused(keyed({ state: schema, onEvent }), { list: [1, 'x'] }).detail,
    /key "a" of version 1: \/list\/1 /,
  )
  assert.match(refused(keyed({ version: 2, onEvent }), 1).detail, /neither migrate nor a schema/)
  const migrate = (): never => {
    throw new Error('cannot')
  }
  assert.match(refused(keyed({ version: 2, migrate, onEvent }), 1).detail, /version 1: cannot/)
})

test('a state of a later version is refused', () => {
  const memory = {
    kind: 'keyed',
    basis: { time: 1 },
    version: '2',
    entries: [{ key: 'a', value: { v: 2, s: 1 } }],
  } as const
  assert.throws(() => new Running(keyed({ onEvent }), memory), /KEYED_STATE_UNREADABLE.*version 2: this is version 1/)
})

test('what is no state is refused', () => {
  const memory = { kind: 'keyed', basis: { time: 1 }, version: '1', entries: [{ key: 'a', value: { s: 1 } }] } as const
  assert.throws(() => new Running(keyed({ onEvent }), memory), /KEYED_STATE_UNREADABLE.*key "a" is no state/)
  assert.throws(() => new Running(keyed({ onEvent }), { ...memory, basis: { time: 'x' } }), /event time "x"/)
})

const own = { of: ({ time }: StoredEvent) => time, lateness: '1s' }
const told = keyed({ time: own, onEvent: (c, { id }) => c.emit(Out([id, c.now])), onTimer: () => undefined })

test('events with a time of their own are handled by it, whatever order they come in', () => {
  const running = new Running(told)
  const at = (id: string, time: number): StoredEvent => seen('a', time, 0, { id, storedAt: 10_000 })
  assert.equal(running.turn(at('x', 5_000), at('y', 4_500), at('z', 4_000)), [['z', 4_000]])
  assert.is(running.logic.due, 10_500, 'when nothing comes, event time passes as the clock does since the last event')
  assert.equal(running.turn(at('w', 5_600)), [['y', 4_500]])
  assert.equal(running.tick(10_399), [])
  assert.equal(running.tick(10_400), [['x', 5_000]])
})

test('what waits for its time is stored, comes back with its cause, and is gone when it was handled', () => {
  const before = new Running(told)
  const waiting = seen('a', 5_000, 0, { id: 'x', correlationId: 'c' })
  before.turn(waiting, seen('b', 5_000, 0, { id: 'y', time: 5_001 }))
  const after = new Running(told, storedMemory(before.logic))
  const drafts = after.drafts(seen('c', 6_000))
  assert.equal(
    drafts.map(({ data, time, correlationId, causationId }) => [data, time, correlationId, causationId]),
    [[['x', 5_000], 5_000, 'c', 'x']],
  )
  const changes = after.logic.takeChanges()
  assert.equal(
    changes.map(({ key, value }) => [key, value === undefined]),
    [
      ['\0e3', false],
      ['\0e1', true],
    ],
  )
})

test('a key that looks like what is reserved is a key like others', () => {
  const counting = keyed({ onEvent: (c) => void (c.state = (c.state ?? 0) + 1), time: own })
  const before = new Running(counting)
  for (const key of ['\0e1', '\0k', '\0', '__proto__']) before.turn(seen(key, 10))
  before.tick(2_000)
  const memory = storedMemory(before.logic)
  assert.equal(
    new Set((memory as unknown as { entries: { key: string }[] }).entries.map(({ key }) => key)),
    new Set(['\0k\0e1', '\0k\0k', '\0k\0', '__proto__']),
  )
  const after = new Running(counting, memory)
  assert.is(after.logic.keys, 4)
  assert.equal(
    [...after.logic.entries()].map(({ value }) => value),
    Array.from({ length: 4 }, () => ({ v: 1, s: 1 })),
  )
})

test('late events become dead letters, are dropped and counted, or make an event', () => {
  const late = seen('a', 1_000, 0, { id: 'late' })
  const run = (policy: unknown): Running => {
    const running = new Running(keyed({ time: { ...own, late: policy }, onEvent }))
    running.turn(seen('a', 9_000))
    return running
  }
  const dead = run(undefined)
  assert.equal(dead.turn(late), [])
  assert.match(dead.messages().join(), /EVENT_LATE.*late is 7000 ms behind/)
  const dropped = run('drop')
  assert.equal(dropped.turn(late), [])
  assert.equal([dropped.failures, dropped.logic.notices], [[], { late: 1 }])
  assert.equal(new Running(keyed({ time: own, onEvent }), storedMemory(dropped.logic)).logic.notices, { late: 1 })
  assert.equal(run(({ id }: StoredEvent) => Out(id)).turn(late), ['late'])
  const wrong = run(() => In({ value: 1 }))
  assert.equal(wrong.turn(late), [])
  assert.match(wrong.messages().join(), /OUTPUT_INVALID/)
})

test('an event without a time, or dated far ahead, is a dead letter and does not move time', () => {
  const running = new Running(
    keyed({
      time: { of: ({ data }: StoredEvent) => (data as { value: number }).value, lateness: 0 },
      onEvent: (c) => c.emit(Out(c.now)),
    }),
  )
  const values = [Number.NaN, 1_000 + 300_001, 1_000]
  assert.equal(running.turn(...values.map((value) => seen('a', 1_000, value))), [1_000])
  assert.match(running.messages().join(), /EVENT_TIME_INVALID.*EVENT_TIME_AHEAD/s)
})

test('an event that waited and then fails is named: the dead letter is of another message', () => {
  const running = new Running(
    keyed({
      time: own,
      onEvent: () => {
        throw new Error('no')
      },
    }),
  )
  running.turn(seen('a', 1_000, 0, { id: 'x', sequence: 7 }), seen('a', 3_000))
  assert.match(running.messages().join(), /TURN_FAILED.*event x of \/test, sequence 7: no/)
})

test.run()
