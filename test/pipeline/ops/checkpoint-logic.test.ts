import { from, map, merge, mergeMap, of, share, startWith, tap } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seen, storedMemory } from '../keyed/declared.ts'
import { buffers, checkpoint, Checkpointed, refusal, sums, value } from './at-work.ts'

const test = suite('a pipeline in mode checkpoint')

test('each key has operators of its own, and goes on with them after a restart', () => {
  const before = new Checkpointed(sums)
  assert.equal(before.turn(seen('a', 1, 1), seen('b', 2, 10), seen('a', 3, 2)), [1, 10, 3])
  const after = new Checkpointed(sums, storedMemory(before.logic))
  assert.equal(after.turn(seen('a', 4, 3), seen('b', 5, 20), seen('c', 6, 5)), [6, 30, 5])
})

test('Z2 timers of all keys fire by time and key, before an event of that time, and say what they follow from', () => {
  const running = new Checkpointed(buffers)
  running.turn(seen('b', 0, 1, { id: 'x', correlationId: 'c' }), seen('a', 0, 2, { id: 'y' }))
  assert.is(running.logic.due, 100)
  const drafts = running.drafts(seen('b', 100, 3, { id: 'z' }))
  assert.equal(
    drafts.map(({ data, time, correlationId, causationId }) => [data, time, correlationId, causationId]),
    [
      [[2], 100, 'y', 'y'],
      [[1], 100, 'c', 'x'],
    ],
  )
})

test('a ten-day gap costs one firing with a lazy buffer, and nothing while there is nothing', () => {
  const day = 86_400_000
  const lazy = new Checkpointed(
    checkpoint((events$, { ops }) => events$.pipe(value, ops.bufferTime('100ms', { align: true }))),
  )
  lazy.turn(seen('a', 5, 1), seen('a', 6, 2))
  assert.is(lazy.logic.due, 100)
  assert.equal(lazy.turn(seen('a', 10 * day, 3)), [[1, 2]])
  assert.is(lazy.logic.due, 10 * day + 100)
  assert.equal(lazy.tick(10 * day + 100), [[3]])
  assert.is(lazy.logic.due, Infinity)
})

test('a key that is idle has its input completed, what its operators hold comes out, and nothing is left of it', () => {
  const running = new Checkpointed(
    checkpoint((events$, { ops }) => events$.pipe(value, ops.bufferCount(3)), {
      recovery: { mode: 'checkpoint', idle: 50 },
    }),
  )
  running.turn(seen('a', 0, 1), seen('a', 10, 2), seen('b', 20, 7))
  assert.is(running.logic.takeChanges?.().length, 2)
  assert.equal(running.tick(60), [[1, 2]])
  assert.equal(running.logic.takeChanges?.(), [{ key: 'a', value: undefined }])
  assert.equal(running.turn(seen('a', 61, 3), seen('a', 62, 4), seen('a', 63, 5)), [[3, 4, 5]])
})

test('a key is not idle while something waits in it', () => {
  const running = new Checkpointed(
    checkpoint((events$, { ops }) => events$.pipe(value, ops.delay(200)), {
      recovery: { mode: 'checkpoint', idle: 50 },
    }),
  )
  running.turn(seen('a', 0, 1))
  assert.equal(running.tick(199), [])
  assert.equal(running.tick(200), [1])
  running.logic.takeChanges?.()
  assert.equal([...(running.logic.entries?.() ?? [])], [])
})

test('Z4 a key that fails begins anew with its next event; others, and outputs before it in the turn, stay', () => {
  const running = new Checkpointed(
    checkpoint((events$, { ops }) =>
      events$.pipe(
        value,
        ops.scan((total, each) => total + each, 0),
        mergeMap((total) => of(total, -total)),
        tap((total) => {
          if (total === -6) throw new Error('six')
        }),
      ),
    ),
  )
  assert.equal(
    running.turn(seen('a', 1, 1), seen('b', 1, 2), seen('a', 2, 5), seen('a', 3, 4), seen('b', 3, 1)),
    [1, -1, 2, -2, 4, -4, 3, -3],
  )
  assert.equal(running.failures.map(String), ['Error: six'])
})

test('Z4 what fails in a timer is a dead letter that says so, and the event of the turn is handled', () => {
  const running = new Checkpointed(
    checkpoint((events$, { ops }) =>
      events$.pipe(
        value,
        ops.delay(10),
        tap((each) => {
          if (each < 0) throw new Error('below')
        }),
      ),
    ),
  )
  running.turn(seen('a', 0, -1), seen('b', 0, 2))
  assert.equal(running.turn(seen('a', 10, 3)), [2])
  assert.match(String(running.failures[0]), /SLOT_FAILED.*key "a" at 10, in a timer: below/)
  assert.equal(running.tick(20), [3])
})

test('with onError stop, the pipeline stops', () => {
  const failing = checkpoint(
    (events$) =>
      events$.pipe(
        map(() => {
          throw new Error('no')
        }),
      ),
    { onError: 'stop' },
  )
  const running = new Checkpointed(failing)
  assert.is(refusal(() => running.turn(seen('a', 1))).code, 'PIPELINE_FAILED')
  assert.is(refusal(() => running.turn(seen('b', 1))).code, 'PIPELINE_FAILED')
})

test('a pipeline that cannot be put together is the fault of the event', () => {
  const running = new Checkpointed(
    checkpoint((events$, { key }) => {
      if (key === 'bad') throw new Error('not this key')
      return events$.pipe(value)
    }),
  )
  assert.equal(running.turn(seen('bad', 1, 1), seen('good', 1, 2)), [2])
  assert.equal(running.failures.map(String), ['Error: not this key'])
  running.logic.takeChanges?.()
  assert.equal([...(running.logic.entries?.() ?? [])].length, 1)
})

test('a pipeline that has completed stays so for its key, also after a restart', () => {
  const firsts = checkpoint((events$, { ops }) => events$.pipe(value, ops.take(1)))
  const before = new Checkpointed(firsts)
  assert.equal(before.turn(seen('a', 1, 1), seen('a', 2, 2), seen('b', 2, 3)), [1, 3])
  const after = new Checkpointed(firsts, storedMemory(before.logic))
  assert.equal(after.turn(seen('a', 3, 4), seen('c', 3, 5)), [5])
})

test('branches that share operators find their state, also when one of them has ended', () => {
  const branches = checkpoint((events$, { ops }) => {
    const total$ = events$.pipe(
      value,
      ops.scan((total, each) => total + each, 0),
      share(),
    )
    return from([
      total$.pipe(
        ops.take(1),
        map((total) => `first ${total}`),
      ),
      total$.pipe(ops.pairwise()),
    ]).pipe(mergeMap((branch) => branch))
  })
  const before = new Checkpointed(branches)
  assert.equal(before.turn(seen('a', 1, 1), seen('a', 2, 2)), ['first 1', [1, 3]])
  const after = new Checkpointed(branches, storedMemory(before.logic))
  assert.equal(after.turn(seen('a', 3, 3)), [[3, 6]])
})

test('an operator that has ended lets go of what was before it, after a restart as before', () => {
  let ran = 0
  const once = checkpoint((events$, { ops }) => {
    const first$ = events$.pipe(
      tap(() => (ran += 1)),
      ops.take(1),
    )
    return merge(first$, events$).pipe(value)
  })
  const before = new Checkpointed(once)
  before.turn(seen('a', 1, 1), seen('a', 2, 2))
  const after = new Checkpointed(once, storedMemory(before.logic))
  assert.equal(after.turn(seen('a', 3, 3)), [3])
  assert.is(ran, 1)
})

test('what a key puts out when it begins belongs to its first event, and does not come again after a restart', () => {
  const greeting = checkpoint((events$, { ops }) =>
    events$.pipe(value, startWith(100), ops.pairwise(), startWith('hello')),
  )
  const before = new Checkpointed(greeting)
  assert.equal(before.turn(seen('a', 1, 1)), ['hello', [100, 1]])
  const after = new Checkpointed(greeting, storedMemory(before.logic))
  assert.equal(after.turn(seen('a', 2, 2)), [[1, 2]])
})

test('chance follows from the event, the same after a restart', () => {
  const random = checkpoint((events$, ctx) => events$.pipe(map(() => [ctx.random(), ctx.uuid(), ctx.key, ctx.now()])))
  const before = new Checkpointed(random)
  const [first] = before.turn(seen('a', 1, 1, { id: 'x' }))
  const memory = storedMemory(before.logic)
  const second = before.turn(seen('a', 2, 1, { id: 'y' }))
  assert.equal(new Checkpointed(random, memory).turn(seen('a', 2, 1, { id: 'y' })), second)
  assert.not.equal(first, second[0])
})

test.run()
