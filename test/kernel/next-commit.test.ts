import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import { FNV_OFFSET } from '../../src/kernel/hash.ts'
import { hashTurn, nextCommit, type Commit } from '../../src/kernel/next-commit.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { freshRecord, textOf, turnOf } from './messages.ts'

const test = suite('what the next commit holds')

/** Turns with gaps between their sequences. */
const someTurns = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: 9 }), outputs: fc.nat(14) }), { maxLength: 25 })
  .map((steps) => {
    let sequence = 0
    return steps.map(({ gap, outputs }) =>
      turnOf((sequence += gap), outputs, outputs === 13 ? { deadLetters: [reason], outputs: [] } : {}),
    )
  })
const reason = { processor: 'contract', code: 'EVENT_DATA_INVALID', detail: '', issues: [] }

const input = { expected: 0, output: 'OUT', memory: 'snapshot', spans: [], force: false } as const

/** How a run went: after each commit, how many more turns were added, whether it crashed, whether it forced a snapshot. */
const someCourse = fc.array(fc.record({ added: fc.nat(6), crash: fc.boolean(), force: fc.boolean() }), {
  minLength: 1,
  maxLength: 40,
})

interface Step {
  readonly before: CommitRecord
  readonly offered: readonly Turn[]
  readonly commit: Commit
  readonly forced: boolean
}

/** Commits all turns; a crash forgets which were offered and offers those after the record’s position again. */
function commitAll(
  turns: readonly Turn[],
  room: number,
  course: readonly { added: number; crash: boolean; force: boolean }[],
  start = freshRecord(),
): Step[] {
  const steps: Step[] = []
  let record = start
  let offered = 0
  for (let at = 0; record.position < (turns.at(-1)?.sequence ?? 0); at++) {
    const { added, crash, force } = course[at % course.length] ?? { added: 1, crash: false, force: false }
    const done = turns.filter(({ sequence }) => sequence <= record.position).length
    offered = Math.min(turns.length, Math.max(crash ? done : offered, done) + Math.max(1, added))
    const waiting = turns.slice(done, offered)
    const commit = nextCommit({ ...input, record, turns: waiting, room, state: () => ({ done }), force })
    steps.push({ before: record, offered: waiting, commit, forced: force })
    assert.ok(steps.length < 2_000, 'it comes to an end')
    record = JSON.parse(JSON.stringify(commit.record)) as CommitRecord // what a recovery would read
  }
  return steps
}

function outputsOf({ messages }: Commit): string[] {
  return messages.filter(({ subject }) => !subject.startsWith('millrace.')).map(textOf)
}

const runs = fc.tuple(someTurns, fc.integer({ min: 1, max: 9 }), someCourse)

test('C1 C2 every output of every turn is in exactly one commit, in order, whatever the room and wherever it crashed', () => {
  fc.assert(
    fc.property(runs, ([turns, room, course]) => {
      const steps = commitAll(turns, room, course)
      assert.equal(
        steps.flatMap(({ commit }) => outputsOf(commit)),
        turns.flatMap(({ outputs }) => outputs.map(textOf)),
      )
      assert.equal(
        steps.flatMap(({ commit }) => commit.turns),
        turns,
      )
      for (const { commit } of steps) assert.ok(commit.messages.length <= room, 'it fits the batch')
    }),
    { numRuns: 500 },
  )
})

test('C1 the position passes a turn with the last of its outputs, not before', () => {
  fc.assert(
    fc.property(runs, ([turns, room, course]) => {
      let stored = 0
      for (const { before, commit } of commitAll(turns, room, course)) {
        const { record } = commit
        stored += outputsOf(commit).length
        assert.is(record.outputs, stored)
        assert.ok(record.position >= before.position)
        const whole = turns.filter(({ sequence }) => sequence <= record.position)
        const due = whole.reduce((sum, { outputs }) => sum + outputs.length, 0)
        assert.is(stored, due + (record.partial?.outputs ?? 0))
        if (record.partial !== null) assert.is(record.partial.sequence, turns[whole.length]?.sequence)
        assert.is(record.turns, whole.length)
        assert.is(
          record.deadLetters,
          whole.reduce((sum, { deadLetters }) => sum + deadLetters.length, 0),
        )
        assert.is(record.time, Math.max(0, ...whole.map(({ storedAt }) => storedAt)))
      }
    }),
    { numRuns: 500 },
  )
})

test('K1 a snapshot is taken only when every turn that was run is in the commit, and then when it is due or asked for', () => {
  fc.assert(
    fc.property(runs, ([turns, room, course]) => {
      // as after many turns already, so that a snapshot falls due in between
      const start = freshRecord({ turnsToReplay: 19_993 })
      for (const { before, offered, commit, forced } of commitAll(turns, room, course, start)) {
        const chunks = commit.messages.length - outputsOf(commit).length
        const taken = commit.record.snapshot !== null && commit.record.snapshot !== before.snapshot && chunks > 0
        const all = commit.turns.length === offered.length
        if (taken) {
          assert.ok(all, 'its state is that after the last turn of the commit')
          assert.is(commit.record.snapshot?.position, commit.record.position)
        }
        const due = forced || before.turnsToReplay + commit.turns.length >= 20_000
        assert.is(taken, all && due && outputsOf(commit).length < room)
      }
    }),
    { numRuns: 500 },
  )
})

test('K1 hash and count are of the turns since the snapshot: what a recovery must meet again', () => {
  fc.assert(
    fc.property(runs, ([turns, room, course]) => {
      for (const { commit } of commitAll(turns, room, course)) {
        const { position, origin, snapshot, hash, turnsToReplay } = commit.record
        const since = snapshot?.position ?? origin
        const replayed = turns.filter(({ sequence }) => sequence > since && sequence <= position)
        assert.is(turnsToReplay, replayed.length)
        assert.is(hash, replayed.reduce(hashTurn, FNV_OFFSET))
      }
    }),
    { numRuns: 500 },
  )
})

test('the same input gives the same commit, and none of it is changed', () => {
  fc.assert(
    fc.property(runs, ([turns, room]) => {
      const given = { ...input, turns, room, record: freshRecord(), state: () => 1, force: true }
      const before = JSON.stringify(given)
      assert.equal(nextCommit(given), nextCommit(given))
      assert.is(JSON.stringify(given), before)
    }),
  )
})

test('a commit holds no more turns than can be acknowledged at once', () => {
  const turns = Array.from({ length: 10_000 }, (_, at) => turnOf(at + 1, 0))
  const first = nextCommit({ ...input, record: freshRecord(), turns, room: 999, state: () => undefined })
  assert.is(first.turns.length, 8_192)
  assert.is(first.record.position, 8_192)
})

test('C1 C2 a commit holds no more bytes than a server takes at once, and one output at least', () => {
  const outputs = [3, 3, 3, 9, 1, 1].map((mebibytes) => ({
    subject: 'out.0.made',
    headers: [],
    data: Buffer.alloc(mebibytes * 1024 * 1024),
  }))
  const turns = [turnOf(1, 0, { outputs }), turnOf(2, 0, { outputs: outputs.slice(0, 1) })]
  const steps = commitAll(turns, 999, [{ added: 2, crash: false, force: false }])
  assert.equal(
    steps.map(({ commit }) => commit.messages.map(({ data }) => data.length / 1024 / 1024)),
    [[3, 3], [3], [9], [1, 1, 3]],
  )
  assert.equal(
    steps.map(({ commit }) => [commit.record.position, commit.record.partial?.outputs]),
    [
      [0, 2],
      [0, 3],
      [0, 4],
      [2, undefined],
    ],
  )
})

test('a processor without memory has no snapshot, even when one is asked for', () => {
  const given = { ...input, record: freshRecord(), turns: [turnOf(30_000, 1)], room: 999, force: true }
  const { record, messages } = nextCommit({ ...given, memory: 'none', state: () => assert.unreachable() })
  assert.is(record.snapshot, null)
  assert.is(messages.length, 1)
})

test('a state larger than one message is cut into chunks of the same commit', () => {
  let seed = 1
  const noise = Array.from({ length: 200_000 }, () => (seed = (seed * 48_271) % 2_147_483_647))
  const given = { ...input, record: freshRecord(), turns: [turnOf(1, 2)], room: 999, force: true }
  const { record, messages } = nextCommit({ ...given, state: () => noise })
  const chunks = messages.slice(2)
  assert.ok(chunks.length > 2, `${chunks.length} chunks`)
  assert.equal(record.snapshot, {
    position: 1,
    chunks: chunks.length,
    bytes: chunks.reduce((sum, { data }) => sum + data.length, 0),
  })
  assert.equal(
    chunks.map(({ subject }) => subject),
    chunks.map((_, at) => `millrace.OUT.snapshot.pipeline-p.all.${at}`),
  )
})

test.run()
