import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import { fault, isFault } from '../../src/error/millrace-error.ts'
import type { EventDraft } from '../../src/event/event.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import type { Decision, JournalEntry } from '../../src/kernel/decision.ts'
import { Execution } from '../../src/kernel/execution.ts'
import type { Logic, MemoryKind, Processor } from '../../src/kernel/processor.ts'
import { JournalCursor, Recovery } from '../../src/kernel/recovery.ts'
import { Redo } from '../../src/kernel/redo.ts'
import { High, Reading, registry } from '../support/kill-fixture.ts'
import { freshRecord, storedDraft } from './messages.ts'
import { windowProcessor } from './window-logic.ts'

const test = suite('an execution, its recovery and what is done again')

const stream = defineStream({ name: 'T', root: 't' })
const made = (value: number) => High({ machine: 'm', value }, { time: 5 })

/** A processor whose answers a test makes up. */
function answering(fields: Partial<Logic>, memory: MemoryKind = 'keyed'): { processor: Processor; logic: Logic } {
  const logic: Logic = { turn: () => [], stop: () => undefined, ...fields }
  const processor: Processor = {
    kind: 'pipeline',
    name: 'p',
    version: '1',
    from: { stream },
    to: { stream },
    memory,
    start: () => logic,
  }
  return { processor, logic }
}

function execution(fields: Partial<Logic>, from = {}, memory: MemoryKind = 'keyed'): Execution {
  return new Execution({ ...answering(fields, memory), registry }, freshRecord({ partition: '3', ...from }))
}

const reading = (sequence: number, value = 1) => storedDraft(Reading({ machine: 'm', value }), sequence)
const idOf = ({ headers }: WireMessage): string => headers.find(([name]) => name === 'ce-id')?.[1] ?? ''
const tick = (time: number): Decision => ({ kind: 'tick', time })

function handle(run: Execution, sequence: number, value = 1) {
  const message = reading(sequence, value)
  return run.handle(message, run.read(message))
}

test('outputs of decisions are numbered after those of the message before them, and the next message begins anew', () => {
  const run = execution({ turn: () => [made(1), made(2)], tick: () => [made(3)], settle: () => [made(4), made(5)] })
  const settled: Decision = { kind: 'step', id: 's', outcome: { ok: true, value: 1 } }
  const turns = [handle(run, 7), run.decide(tick(1)), run.decide(settled), handle(run, 8), run.decide(tick(2))]
  assert.equal(
    turns.map(({ outputs }) => outputs.map(idOf)),
    // a message says its partition itself, a decision has that of its unit
    [['3-7-0', '3-7-1'], ['3-7-2'], ['3-7-3', '3-7-4'], ['0-8-0', '0-8-1'], ['3-8-2']].map((ids) =>
      ids.map((id) => `pipeline-p-${id}`),
    ),
  )
  assert.equal(
    turns.map(({ sequence, outputsBefore }) => [sequence, outputsBefore]),
    [
      [7, 0],
      [7, 2],
      [7, 3],
      [8, 0],
      [8, 2],
    ],
  )
  assert.equal(run.place, { sequence: 8, outputs: 3 })
})

test('it goes on numbering where a commit has ended, whatever a replay came to', () => {
  const run = execution({ turn: () => [made(1)], tick: () => [made(2)] }, { position: 9, ordinal: 4, failures: 2 })
  assert.equal(run.decide(tick(1)).outputs.map(idOf), ['pipeline-p-3-9-4'])
  handle(run, 12)
  run.resume(freshRecord({ position: 9, ordinal: 4, failures: 2 }), true)
  const turn = run.decide(tick(2))
  assert.equal([turn.outputs.map(idOf), turn.failuresBefore], [['pipeline-p-3-9-4'], 2])
})

test('an output of time needs a time of its own: without one it is a dead letter, and its number is the next one’s', () => {
  const timeless: EventDraft = High({ machine: 'm', value: 0 })
  const run = execution({ tick: () => [made(1), timeless, made(2)] })
  handle(run, 7)
  const turn = run.decide(tick(5))
  assert.equal(turn.outputs.map(idOf), ['pipeline-p-3-7-0', 'pipeline-p-3-7-1'])
  assert.equal(
    turn.deadLetters.map(({ code }) => code),
    ['OUTPUT_INVALID'],
  )
})

test('what a decision throws is its dead letter; what says that it stops the processor, stops it', () => {
  const run = execution({
    tick: (time) => {
      throw time === 1 ? new Error('one') : fault('EMITTED_OUTSIDE_TURN', 'p')
    },
  })
  handle(run, 7)
  assert.equal(
    run.decide(tick(1)).deadLetters.map(({ code, detail }) => [code, detail]),
    [['TURN_FAILED', 'one']],
  )
  assert.throws(
    () => run.decide(tick(2)),
    (error: unknown) => isFault(error, 'EMITTED_OUTSIDE_TURN'),
  )
})

test('a message that is passed over is a turn without outputs, a dead letter and a decision', () => {
  const run = execution({
    turn: () => {
      throw new Error('it was handled')
    },
  })
  const turn = run.skip(reading(7), 3)
  assert.equal([turn.sequence, turn.outputs, turn.decision], [7, [], { kind: 'skip', sequence: 7 }])
  assert.equal(
    turn.deadLetters.map(({ code, detail }) => [code, detail]),
    [['PROCESS_KILLED', '3 times at sequence 7']],
  )
})

/** A processor whose state changes with each event, by a text of so many characters. */
function changing(length: () => number) {
  const changes: { key: string; value: unknown }[] = []
  return execution({
    turn: (event) => {
      const { value } = event.data as { value: number }
      changes.push({ key: `k${event.sequence}`, value: 'x'.repeat(length()) })
      return Array.from({ length: value }, (_, at) => made(at))
    },
    takeChanges: () => changes.splice(0),
    basis: { time: 9 },
  })
}

/** Handles messages up to a sequence; those after which the state was looked at. */
function lookedAt(run: ReturnType<typeof changing>, from: number, to: number, outputs: number): number[] {
  const looked: number[] = []
  for (let sequence = from; sequence <= to; sequence++)
    if (handle(run, sequence, outputs).checkpoint !== undefined) looked.push(sequence)
  return looked
}

test('the state is looked at after 237 outputs, and a look takes the changes since the one before', () => {
  const run = changing(() => 1)
  assert.equal(lookedAt(run, 1, 14, 40), [6, 12])
  const last = run.checkpoint()
  assert.equal(last.changes, ['["k13","x"]', '["k14","x"]'])
  assert.equal([last.basis, last.replay], [{ time: 9 }, null])
})

test('where outputs share messages it is looked at after 900 of them, which fit a commit also when none does', () => {
  const { processor, logic } = answering({ turn: () => Array.from({ length: 100 }, (_, at) => made(at)) })
  const packed = { ...processor, to: { ...processor.to, packed: true } }
  const run = new Execution({ processor: packed, logic, registry }, freshRecord({ partition: '3' }))
  assert.equal(lookedAt(run, 1, 20, 1), [9, 18])
})

test('it is looked at after up to 2,000 turns, and sooner when its changes are large', () => {
  let length = 1
  const run = changing(() => length)
  assert.equal(lookedAt(run, 1, 10_000, 0), [64, 192, 448, 960, 1_984, 3_984, 5_984, 7_984, 9_984])
  length = 100_000
  assert.equal(lookedAt(run, 10_001, 12_030, 0), [11_984, 11_995, 12_006, 12_017, 12_028])
  length = 3_000_000
  assert.equal(lookedAt(run, 12_031, 12_042, 0), [12_039, 12_040, 12_041, 12_042])
})

test('it is looked at when the results of steps have come to a quarter of what a message takes', () => {
  const run = execution({ turn: () => [], settle: () => [] })
  const decide = (value: string) => run.decide({ kind: 'step', id: 's', outcome: { ok: true, value } })
  handle(run, 1, 0)
  const looked = [100_000, 100_000, 100_000, 500_000, 1].map(
    (size) => decide('x'.repeat(size)).checkpoint !== undefined,
  )
  assert.equal(looked, [false, false, true, true, false])
})

test('a processor that looks at nothing has no checkpoints, however much it does', () => {
  for (const memory of ['none', 'snapshot'] as const) {
    const run = execution({ turn: () => Array.from({ length: 300 }, (_, at) => made(at)) }, {}, memory)
    assert.is(handle(run, 1).checkpoint, undefined)
  }
})

const someEntries = fc
  .array(fc.record({ gap: fc.nat(2), kind: fc.constantFrom('tick', 'step', 'skip') }), { maxLength: 20 })
  .map((steps) => {
    let after = 0
    return steps.map(({ gap, kind }, at): JournalEntry => {
      after += gap
      if (kind === 'tick') return { kind, after, time: at }
      if (kind === 'step') return { kind, after, id: `${at}`, outcome: { ok: true, value: at } }
      return { kind: 'skip', after, sequence: after + 1 }
    })
  })

test('K1 decisions are taken again each once, in order, before the message that they came before', () => {
  fc.assert(
    fc.property(someEntries, fc.array(fc.integer({ min: 1, max: 45 })), (entries, sequences) => {
      const cursor = new JournalCursor(entries)
      const taken: JournalEntry[] = []
      for (const sequence of [...new Set(sequences)].sort((a, b) => a - b)) {
        for (const entry of cursor.before(sequence)) {
          assert.ok(entry.after < sequence)
          taken.push(entry)
        }
        const due = entries.filter(({ after, kind }) => after < sequence && kind !== 'skip')
        assert.equal(taken, due)
        assert.is(
          cursor.settled,
          entries.every(({ after }) => after < sequence),
        )
      }
      taken.push(...cursor.before(Number.POSITIVE_INFINITY))
      assert.equal(
        taken,
        entries.filter(({ kind }) => kind !== 'skip'),
      )
      assert.ok(cursor.settled)
      assert.equal(cursor.before(Number.POSITIVE_INFINITY), [])
      for (const entry of entries) if (entry.kind === 'skip') assert.ok(cursor.skipped(entry.sequence))
    }),
  )
})

test('K1 nothing new is decided before what is stored ahead is done again, to the last output', () => {
  const journal: JournalEntry[] = [{ kind: 'tick', after: 5, time: 1 }]
  const redo = new Redo({ partial: { sequence: 7, outputs: 3, journal }, attempting: null })
  assert.is(redo.done({ sequence: 5, outputs: 0 }), false)
  assert.equal(redo.before(6), journal)
  assert.is(redo.done({ sequence: 6, outputs: 9 }), false, 'its decisions are taken, its outputs are not made')
  assert.is(redo.done({ sequence: 7, outputs: 2 }), false)
  assert.equal(redo.care(7), { kind: 'handle' }, 'a message of which a part is stored is not passed over')
  assert.is(redo.care(8), undefined)
  assert.is(redo.done({ sequence: 7, outputs: 3 }), true)
  assert.is(redo.care(7), undefined)
})

test('K1 a message that was passed over ahead of the position is passed over again', () => {
  const journal: JournalEntry[] = [{ kind: 'skip', after: 5, sequence: 6 }]
  const redo = new Redo({
    partial: { sequence: 7, outputs: 3, journal },
    attempting: { sequence: 6, count: 1, tries: 3 },
  })
  assert.equal(redo.care(6), { kind: 'skip', tries: 3 })
  assert.equal(redo.care(7), { kind: 'handle' })
})

test('when no message is left, what is stored ahead is done: the others are gone from the log', () => {
  const journal: JournalEntry[] = [{ kind: 'tick', after: 9, time: 1 }]
  const redo = new Redo({ partial: { sequence: 9, outputs: 3, journal }, attempting: null })
  assert.equal(redo.rest(), journal)
  assert.is(redo.done({ sequence: 5, outputs: 0 }), true)
  assert.is(new Redo({ partial: null, attempting: null }).done({ sequence: 0, outputs: 0 }), true)
})

test('K1 a replay that met other events, or put out something else, is refused; one of nothing is not compared', () => {
  const processor = windowProcessor(stream, 'replay')
  const log = [30, 90, 20].map((value, at) => reading(at + 1, value))
  const replayed = (fields: Parameters<typeof freshRecord>[0], from = log) => {
    const logic = processor.start({ kind: 'fresh' }, () => undefined)
    const record = freshRecord({ position: 3, ...fields })
    const run = new Execution({ processor, logic, registry }, record)
    const recovery = new Recovery(record, run, [])
    for (const message of from) recovery.replay(message)
    return [recovery.end(processor, logic)?.code, logic.hash] as const
  }
  const [, hash] = replayed({})
  const good = { turnsToReplay: 3, replayFrom: 1, hash: hash ?? 0 }
  assert.is(replayed(good)[0], undefined)
  assert.is(replayed(good, log.slice(1))[0], 'MESSAGES_GONE')
  assert.is(replayed({ ...good, hash: 7 })[0], 'PROCESSOR_NONDETERMINISTIC')
  assert.is(replayed({ turnsToReplay: 0, replayFrom: null, hash: 0, position: 0 }, [])[0], undefined)
})

test.run()
