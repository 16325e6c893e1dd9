// Commits of processors whose turns can be cut only where their state was looked at, over lives that look at different
// places, in batches that hold next to nothing. What is stored must be enough to come back.
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import type { JournalEntry } from '../../src/kernel/decision.ts'
import { journalOf, type JournalSpan } from '../../src/kernel/journal-spans.ts'
import { nextCommit } from '../../src/kernel/next-commit.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { knownOf, mergedFrom, type Known, type Step } from './known-turns.ts'
import { Appended, freshRecord, outputsOf, textOf } from './messages.ts'

export interface Size {
  readonly runs: number
  readonly seed?: number
}

type Memory = 'replay' | 'keyed'

interface Course {
  readonly steps: readonly Step[]
  readonly room: number
  readonly memory: Memory
  /** After each commit: turns that come, whether the process dies, and the places at which it looks at its state. */
  readonly lives: readonly { readonly added: number; readonly dies: boolean; readonly looks: number }[]
}

const someCourse: fc.Arbitrary<Course> = fc.record({
  steps: fc.array(
    fc.record({
      kind: fc.constantFrom('message', 'message', 'message', 'tick', 'tick', 'step', 'skip'),
      gap: fc.integer({ min: 1, max: 5 }),
      outputs: fc.oneof(fc.nat(3), fc.nat(14)),
      failures: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(2)),
      keys: fc.array(fc.nat(4), { maxLength: 3 }),
      back: fc.nat(5),
    }),
    { maxLength: 25 },
  ),
  room: fc.integer({ min: 1, max: 9 }),
  memory: fc.constantFrom('replay', 'keyed'),
  lives: fc.array(fc.record({ added: fc.nat(6), dies: fc.boolean(), looks: fc.nat(6) }), {
    minLength: 1,
    maxLength: 40,
  }),
})

class Lives {
  readonly #course: Course
  readonly #stored = new Appended()
  #known: readonly Known[]
  /** Turns of this life, from `#done` on. */
  #turns: Turn[] = []
  #looked = 0
  #done = 0
  #record: CommitRecord
  #spans: readonly JournalSpan[] = []
  readonly outputs: string[] = []
  parts = 0
  /** Commits that end inside of what was stored ahead. */
  inside = 0

  constructor(course: Course) {
    this.#course = course
    this.#known = knownOf(course.steps)
    this.#record = freshRecord()
  }

  run(): void {
    const { lives } = this.#course
    for (let at = 0; this.#done < this.#known.length; at++) {
      assert.ok(at < 3_000, 'it comes to an end')
      const { added, dies, looks } = lives[at % lives.length] ?? { added: 1, dies: false, looks: 0 }
      if (dies) this.#die()
      this.#add(Math.max(added, this.#turns.length === 0 ? 1 : 0), looks)
      this.#commit()
      this.#check()
    }
  }

  /** A new process reads the record and what it points to, and takes the same decisions as far as they are stored. */
  #die(): void {
    this.#record = JSON.parse(JSON.stringify(this.#record)) as CommitRecord
    this.#known = mergedFrom(this.#known, this.#done, this.#record.partial?.journal ?? [])
    this.#turns = []
    const { journalFrom } = this.#record
    this.#spans = this.#stored.spans(journalFrom)
  }

  #add(count: number, looks: number): void {
    const from = this.#done + this.#turns.length
    const added = this.#known.slice(from, from + count)
    if (this.#turns.length === 0) this.#looked = this.#done
    for (const [at, { turn }] of added.entries()) {
      const own = { ...turn }
      this.#turns.push(own)
      if (looks > 0 && (from + at) % looks === 0) this.#look(own)
    }
    const last = this.#turns.at(-1)
    if (last !== undefined && last.checkpoint === undefined) this.#look(last)
  }

  #look(turn: Turn): void {
    const until = this.#done + this.#turns.length
    const at = this.#known[until - 1]
    const changes = this.#known.slice(this.#looked, until).flatMap((known) => known.changes)
    this.#looked = until
    turn.checkpoint = {
      basis: { after: until },
      hash: until,
      replay: at?.start === undefined ? null : { sequence: at.start, events: until },
      changes: changes.map((change) => JSON.stringify(change[1] === undefined ? [change[0]] : change)),
    }
  }

  #commit(): void {
    const { room, memory } = this.#course
    const before = this.#record.partial
    const commit = nextCommit({
      record: this.#record,
      expected: this.#stored.last,
      turns: this.#turns,
      room,
      output: 'OUT',
      memory,
      spans: this.#spans,
      state: () => assert.unreachable(),
      force: false,
    })
    assert.ok(outputsOf(commit).length <= room, 'it fits the batch')
    this.outputs.push(...outputsOf(commit).map(textOf))
    this.#stored.store(commit.messages)
    this.#record = commit.record
    this.#spans = commit.spans
    this.#done += commit.turns.length
    this.#turns.splice(0, commit.turns.length)
    if (commit.turns.length === 0) this.parts += 1
    else if (before !== null && commit.record.partial !== null) this.inside += 1
  }

  #check(): void {
    const { position, ordinal, failures, basis, hash, partial, outputs } = this.#record
    const last = this.#known[this.#done - 1]?.turn
    assert.is(position, last?.sequence ?? 0)
    assert.is(ordinal, (last?.outputsBefore ?? 0) + (last?.outputs.length ?? 0))
    assert.is(failures, (last?.failuresBefore ?? 0) + (last?.deadLetters.length ?? 0))
    if (this.#done > 0) assert.equal([basis, hash], [{ after: this.#done }, this.#done])
    assert.is(outputs, this.outputs.length)
    if (this.#course.memory === 'keyed') this.#checkKeyed()
    else this.#checkReplay()
    if (partial !== null) this.#checkPartial(partial)
  }

  #checkKeyed(): void {
    const state = new Map<string, number>()
    for (const { changes } of this.#known.slice(0, this.#done))
      for (const [key, value] of changes) {
        state.delete(key)
        if (value !== undefined) state.set(key, value)
      }
    const read = new Map<string, unknown>()
    for (const [key, ...value] of this.#stored.state(this.#record.stateFrom))
      if (value.length === 0) read.delete(String(key))
      else read.set(String(key), value[0])
    assert.equal([...read].sort(), [...state].sort(), 'the state log is the state at the position')
    assert.is(this.#record.journalFrom, null, 'nothing is replayed')
  }

  #checkReplay(): void {
    const needed = this.#record.replayFrom ?? Infinity
    assert.is(this.#record.replayFrom, this.#known[this.#done - 1]?.start ?? null)
    const taken = this.#stored.journal(this.#record.journalFrom).filter(({ after }) => after >= needed)
    const made = journalOf(this.#known.slice(0, this.#done).map(({ turn }) => turn))
    assert.equal(canonical(taken), canonical(made.filter(({ after }) => after >= needed)), 'every decision, in order')
    const old = this.#stored.spans(this.#record.journalFrom)[0]
    if (old !== undefined) assert.ok(old.lastAfter >= needed || needed === Infinity, 'no more is read than is needed')
  }

  /** What comes back takes these decisions first: those that led to what is stored ahead, from the position on. */
  #checkPartial({ sequence, outputs, journal }: NonNullable<CommitRecord['partial']>): void {
    const ahead = this.#known.slice(this.#done).map(({ turn }) => turn)
    const reached = ahead.findIndex(
      (turn) => turn.sequence === sequence && turn.outputsBefore + turn.outputs.length >= outputs,
    )
    assert.ok(reached >= 0, 'it is ahead of the position')
    const prefixes = ahead.slice(reached).map((_, more) => journalOf(ahead.slice(0, reached + more + 1)))
    assert.ok(
      prefixes.some((prefix) => JSON.stringify(prefix) === JSON.stringify(journal)),
      'none of the decisions before it is missing, none is there that is behind the position',
    )
    const stored = ahead.slice(0, reached).reduce((sum, turn) => sum + turn.outputs.length, 0)
    const before = this.#known.slice(0, this.#done).reduce((sum, { turn }) => sum + turn.outputs.length, 0)
    assert.is(this.outputs.length, before + stored + outputs - (ahead[reached]?.outputsBefore ?? 0))
  }
}

/** Ticks that follow each other at one place are one, however many commits they came in. */
function canonical(journal: readonly JournalEntry[]): JournalEntry[] {
  const entries: JournalEntry[] = []
  for (const entry of journal) {
    const last = entries.at(-1)
    if (entry.kind === 'tick' && last?.kind === 'tick' && last.after === entry.after) entries.pop()
    entries.push(entry)
  }
  return entries
}

/** C1 C2 K1: whatever is cut where, all outputs are stored once and in order, and every record can be gone on from. */
export function segments({ runs, seed }: Size): { readonly parts: number; readonly inside: number } {
  const found = { parts: 0, inside: 0 }
  fc.assert(
    fc.property(someCourse, (course) => {
      const lives = new Lives(course)
      lives.run()
      assert.equal(
        lives.outputs,
        knownOf(course.steps).flatMap(({ turn }) => turn.outputs.map(textOf)),
      )
      found.parts += lives.parts
      found.inside += lives.inside
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )
  return found
}
