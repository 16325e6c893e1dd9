import { bufferTime, filter, map, scan } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { declare, Made, Rig, type Build, type Options } from './rig.ts'

const test = suite('event time of its own')

const rig = (pipeline: Build, options?: Options): Rig => new Rig(declare(pipeline, options))
const own = (late?: NonNullable<Exclude<Options['time'], 'ingestion'>>['late']): Options => ({
  time: { of: (event) => event.time, lateness: 50, ...(late === undefined ? {} : { late }) },
})
const listed: Build = (events$) =>
  events$.pipe(
    scan((seen, { data }) => [...seen, data.v], [] as number[]),
    map((seen) => Made(seen.at(-1))),
  )

test('events come in the order of their times, once the newest is so far ahead as one may be late', () => {
  const run = rig(listed, own())
  assert.equal(
    [
      run.give(1_000, 'a', 1, { time: 100 }),
      run.give(1_001, 'a', 2, { time: 90 }),
      run.give(1_002, 'a', 3, { time: 120 }),
      run.give(1_003, 'a', 4, { time: 150 }),
      run.give(1_004, 'a', 5, { time: 200 }),
    ],
    [[], [], [], [2, 1], [3, 4]],
  )
  assert.is(run.drafts[0]?.time, 90, 'outputs have the time of their event')
})

test('one that is older than the watermark is a dead letter, or dropped and counted, or what a function makes of it', () => {
  const late = (run: Rig): unknown[] => {
    run.give(1_000, 'a', 1, { time: 1_000 })
    return run.give(1_001, 'a', 2, { time: 949 })
  }
  const asLetter = rig(listed, own())
  assert.equal(late(asLetter), [])
  assert.match(asLetter.reasons[0] ?? '', /EVENT_LATE: reading\.taken e2 of 949, 1 ms behind the watermark/)
  const dropped = rig(listed, own('drop'))
  assert.equal([late(dropped), dropped.failures, dropped.logic.notices], [[], [], { late: 1 }])
  const made = rig(
    listed,
    own(({ data }) => Made(['late', data.v])),
  )
  assert.equal([late(made), made.failures, made.logic.notices], [[['late', 2]], [], {}])
  const at = rig(listed, own())
  at.give(1_000, 'a', 1, { time: 1_000 })
  at.give(1_001, 'a', 2, { time: 950 })
  assert.equal(at.failures, [], 'at the watermark it is not late')
})

test('a function for late events that throws, or makes what is not declared, fails the event', () => {
  const throwing = rig(
    listed,
    own(() => {
      throw new Error('no use')
    }),
  )
  const wrong = rig(
    listed,
    own(() => ({ ...Made(1), type: 'reading.taken' })),
  )
  for (const run of [throwing, wrong]) {
    run.give(1_000, 'a', 1, { time: 1_000 })
    run.give(1_001, 'a', 2, { time: 1 })
  }
  assert.equal(throwing.reasons, ['no use'])
  assert.match(wrong.reasons[0] ?? '', 'OUTPUT_INVALID')
})

test('an event without a time, or dated long after it was stored, fails alone and moves no time', () => {
  const run = rig(listed, { time: { of: ({ time }) => (time === 7 ? Number.NaN : time), lateness: 0 } })
  run.give(1_000, 'a', 1, { time: 7 })
  run.give(1_000, 'a', 2, { time: 1_000 + 300_001 })
  assert.equal(run.give(1_000, 'a', 3, { time: 1_000 }), [3])
  assert.match(run.reasons.join('\n'), /EVENT_TIME_INVALID[^]*EVENT_TIME_AHEAD/)
})

test('a dead letter is of the message at hand: one that had waited is named', () => {
  const run = rig(
    (events$) =>
      events$.pipe(
        map(({ data }) => {
          if (data.v === 1) throw new Error('one')
          return Made(data.v)
        }),
      ),
    own(),
  )
  run.give(1_000, 'a', 1, { time: 1_000 })
  assert.equal(run.give(1_100, 'a', 2, { time: 1_100 }), [])
  assert.match(run.reasons[0] ?? '', /SLOT_FAILED: key "a", at reading\.taken e1 of sequence 1 at 1000: one/)
})

test('while the input is silent event time goes on as the stream’s clock does, from the newest event', () => {
  const run = rig(
    (events$) =>
      events$.pipe(
        bufferTime(100),
        filter((batch) => batch.length > 0),
        map((batch) => Made(batch.length)),
      ),
    own(),
  )
  // a recording of the year before: stored now, ten seconds of the clock apart from its times
  run.give(50_000, 'a', 1, { time: 1_000 })
  run.give(50_010, 'a', 2, { time: 1_020 })
  assert.is(run.logic.due, 50_010 + 30, 'when the first one could no longer be preceded by another')
  run.tick(run.logic.due)
  assert.is(run.logic.due, 50_010 + 50)
  run.tick(run.logic.due)
  assert.is(run.logic.due, 50_010 + 130, 'when the window ends')
  assert.equal(run.tick(run.logic.due), [2])
  assert.is(run.drafts[0]?.time, 1_100)
  run.give(50_200, 'a', 3, { time: 1_099 })
  assert.match(run.reasons[0] ?? '', 'EVENT_LATE')
})

test('a replay begins with the oldest event that still matters, also when it waits or came late to its slot', () => {
  const run = rig(listed, own())
  run.give(1_000, 'a', 1, { time: 1_000 })
  assert.is(run.logic.replayStart()?.sequence, 1, 'it waits')
  run.give(1_000, 'b', 2, { time: 1_040 })
  run.give(1_000, 'b', 3, { time: 1_030 })
  run.give(5_000, 'c', 4, { time: 5_000 })
  assert.is(run.logic.replayStart()?.sequence, 4, 'the slots of a and b have gone')
  const { basis } = run.logic.replayStart() ?? {}
  assert.equal(basis, { position: 4, watermark: 990, newest: 1_040, stored: 1_000, notices: {} })
})

test('counts go on over a replay', () => {
  const pipeline = declare(listed, own('drop'))
  const run = new Rig(pipeline)
  run.give(1_000, 'a', 1, { time: 1_000 })
  run.give(1_000, 'a', 2, { time: 100 })
  run.give(9_000, 'a', 3, { time: 9_000 })
  run.give(9_000, 'a', 4, { time: 1_000 })
  const start = run.logic.replayStart()
  assert.equal([start?.sequence, run.logic.notices], [3, { late: 2 }])
  const again = new Rig(pipeline, { kind: 'replay', basis: start?.basis, origin: 0 })
  again.give(9_000, 'a', 3, { time: 9_000, sequence: 3 })
  again.give(9_000, 'a', 4, { time: 1_000 })
  assert.equal(again.logic.notices, { late: 2 })
})

test('a basis that cannot be read is refused', () => {
  for (const basis of [null, 'text', { watermark: 'x' }, {}])
    assert.throws(() => new Rig(declare(listed), { kind: 'replay', basis, origin: 0 }), /SNAPSHOT_INVALID/)
})

test.run()
