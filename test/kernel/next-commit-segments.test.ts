import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import { nextCommit, type CommitInput } from '../../src/kernel/next-commit.ts'
import { freshRecord, outputsOf, turnOf } from './messages.ts'
import { segments } from './segment-property.ts'

const test = suite('commits of processors that look at their state')

test('C1 C2 K1 cut anywhere, in parts, over deaths: outputs once and in order, and a record that can be gone on from', () => {
  const found = segments({ runs: 500 })
  assert.ok(found.parts > 150 && found.inside > 10, JSON.stringify(found))
})

const input: Omit<CommitInput, 'turns'> = {
  record: freshRecord(),
  expected: 1,
  room: 900,
  output: 'OUT',
  memory: 'keyed',
  spans: [],
  state: () => assert.unreachable(),
  force: false,
}
const checkpoint = { basis: { time: 1 }, replay: null, hash: 0, changes: [] }

test('C2 a small output does not overtake a large one that has no room in the part', () => {
  const sizes = [[5], [5], [1], [5]]
  const turns = sizes.map((mebibytes, at) =>
    turnOf(at + 1, 0, {
      outputs: mebibytes.map((size) => ({ subject: 'o', headers: [], data: Buffer.alloc(size * 1024 * 1024) })),
      ...(at === sizes.length - 1 ? { checkpoint } : {}),
    }),
  )
  const stored: number[][] = []
  let record: CommitRecord = input.record
  while (record.position < sizes.length) {
    const commit = nextCommit({ ...input, record, turns })
    stored.push(outputsOf(commit).map(({ data }) => data.length / 1024 / 1024))
    record = commit.record
    assert.ok(stored.length < 9, 'it comes to an end')
  }
  assert.equal(stored, [[5], [5, 1], [5]])
})

test('C1 however many turns there are before the state is known, they are one commit', () => {
  const turns = Array.from({ length: 20_000 }, (_, at) => turnOf(at + 1, 0, at === 19_999 ? { checkpoint } : {}))
  const commit = nextCommit({ ...input, turns })
  assert.equal([commit.turns.length, commit.record.position], [20_000, 20_000])
  assert.equal(commit.record.basis, { time: 1 })
})

test('a commit holds no more changes of a state than a server takes at once, but those of one look at it', () => {
  const megabytes = (count: number) => ({
    ...checkpoint,
    changes: [JSON.stringify(['k', 'x'.repeat(count * 1024 * 1024)])],
  })
  const turns = [2, 1, 2, 20, 1].map((count, at) => turnOf(at + 1, 1, { checkpoint: megabytes(count) }))
  const taken: number[] = []
  let record: CommitRecord = input.record
  while (record.position < turns.length) {
    const commit = nextCommit({ ...input, record, turns: turns.slice(record.position) })
    taken.push(commit.turns.length)
    record = commit.record
  }
  assert.equal(taken, [2, 1, 1, 1])
})

test('C1 what is stored of a state beyond that takes the place of outputs', () => {
  const huge = { ...checkpoint, changes: [JSON.stringify(['k', 'x'.repeat(20 * 1024 * 1024)])] }
  const turns = [turnOf(1, 100, { checkpoint: huge })]
  const first = nextCommit({ ...input, turns, room: 200 })
  assert.equal([first.turns.length, first.messages.length], [0, 100])
  const second = nextCommit({ ...input, turns, room: 200, record: first.record })
  assert.equal([second.turns.length, second.record.partial], [1, null])
})

test('entries are written again only with a commit of every turn, for they are of the state after the last', () => {
  const turns = [turnOf(1, 1, { checkpoint }), turnOf(2, 1, { checkpoint })]
  let asked = 0
  const rewrite = () => {
    asked += 1
    return { entries: ['["k",1]'], from: 7 }
  }
  assert.is(nextCommit({ ...input, room: 1, turns, rewrite }).turns.length, 1)
  assert.is(asked, 0)
  const commit = nextCommit({ ...input, turns, rewrite })
  assert.equal([commit.turns.length, commit.record.stateFrom, asked], [2, 7, 1])
})

test('C1 nothing is committed of turns behind which the state is not known', () => {
  const turns = [turnOf(1, 1, { checkpoint }), turnOf(2, 1), turnOf(3, 1)]
  const commit = nextCommit({ ...input, turns })
  assert.equal([commit.turns.length, commit.record.position, outputsOf(commit).length], [1, 1, 1])
})

test('C1 K1 ticks that a part’s journal merged: a commit of some of them leaves every decision that is not done', () => {
  const tick = (sequence: number, time: number, outputs: number, before: number) =>
    turnOf(sequence, outputs, {
      message: undefined,
      decision: { kind: 'tick', time },
      outputsBefore: before,
      checkpoint,
    })
  const step = { kind: 'step', id: 's', outcome: { ok: true, value: 1 } } as const
  const turns = [
    ...[10, 20, 30].map((time, at) => tick(5, time, 1, at)),
    turnOf(5, 1, { message: undefined, decision: step, outputsBefore: 3, checkpoint }),
    turnOf(7, 1, { checkpoint }),
    tick(7, 40, 9, 1),
  ]
  const journal = [
    { after: 5, kind: 'tick', time: 30 },
    { after: 5, ...step },
    { after: 7, kind: 'tick', time: 40 },
  ] as const
  const partial = { sequence: 7, outputs: 8, journal: [...journal] }
  const left = [journal, journal, journal.slice(1), journal.slice(2), journal.slice(2)]
  for (const [at, expected] of left.entries())
    for (const from of [0, ...(at === 1 ? [1] : [])]) {
      const kept = nextCommit({
        ...input,
        memory: 'replay',
        record: { ...input.record, position: 4, partial },
        turns: turns.slice(from, at + 1),
      })
      assert.equal(kept.record.partial?.journal, expected, `after ${at + 1} turns`)
    }
  assert.is(
    nextCommit({ ...input, memory: 'replay', record: { ...input.record, partial }, turns }).record.partial,
    null,
  )
})

for (const memory of ['none', 'keyed'] as const)
  test(`memory ${memory} is not replayed: a recovery reads none of its decisions, however many there are`, () => {
    let record: CommitRecord = input.record
    for (let at = 0; at < 5; at++) {
      const tick = turnOf(at, 1, { message: undefined, decision: { kind: 'tick', time: at }, checkpoint })
      const commit = nextCommit({ ...input, memory, record, turns: [tick] })
      assert.equal([commit.spans, commit.record.journalFrom], [[], null])
      record = commit.record
    }
  })

test.run()
