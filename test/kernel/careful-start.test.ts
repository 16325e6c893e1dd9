import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarefulStart } from '../../src/kernel/careful-start.ts'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import type { Committer } from '../../src/kernel/committer.ts'
import { nextCommit } from '../../src/kernel/next-commit.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { settled } from '../support/virtual-clock.ts'
import { freshRecord, storedMessage, turnOf } from './messages.ts'

const test = suite('a start after starts that led nowhere')

/** What is stored, and the part of a committer that a careful start uses. */
class Store {
  record: CommitRecord = freshRecord({ restarts: 0 })
  careful = false
  marks = 0
  #turns: Turn[] = []

  get waiting(): number {
    return this.#turns.length
  }

  add(turn: Turn): void {
    this.#turns.push(turn)
  }

  async mark(attempting: CommitRecord['attempting']): Promise<void> {
    await settled()
    this.marks += 1
    this.record = { ...this.record, attempting }
  }

  commit(): void {
    const { record, careful } = this
    const commit = nextCommit({
      record,
      expected: 1,
      turns: this.#turns,
      room: 900,
      output: 'OUT',
      memory: 'none',
      spans: [],
      state: () => undefined,
      careful,
      force: false,
    })
    this.record = JSON.parse(JSON.stringify(commit.record)) as CommitRecord
    this.#turns.splice(0, commit.turns.length)
  }

  /** What is not stored is gone; the next one claims it. */
  restart(): void {
    this.#turns = []
    this.careful = false
    this.record = { ...this.record, restarts: this.record.restarts + 1 }
  }
}

interface Ended {
  readonly deaths: number
  readonly handled: number[]
  readonly skipped: number[]
  readonly marks: number
}

/** One process: handles what follows the position, commits now and then, and dies at a killer. Whether it came to the end. */
async function live(store: Store, count: number, killers: ReadonlySet<number>, every: number, into: Ended) {
  let goOn = (): void => undefined
  const careful = new CarefulStart(store.record, store as unknown as Committer, () => goOn())
  for (let sequence = store.record.position + 1; sequence <= count;) {
    const care = careful.before(storedMessage(sequence), false)
    if (care.kind === 'wait') {
      if (store.waiting > 0) {
        store.commit()
      } else await new Promise<void>((resolve) => (goOn = resolve))
      continue
    }
    if (care.kind === 'skip') into.skipped.push(sequence)
    else if (killers.has(sequence)) return false
    else into.handled.push(sequence)
    store.add(turnOf(sequence, 1))
    sequence += 1
    if (store.waiting >= every) {
      store.commit()
    }
  }
  store.commit()
  careful.caughtUp()
  assert.is(store.careful, false, 'at the end it is no longer careful')
  return true
}

async function run(count: number, killers: readonly number[], every: number): Promise<Ended> {
  const store = new Store()
  const into: Ended = { deaths: 0, handled: [], skipped: [], marks: 0 }
  let deaths = 0
  for (; ; deaths++) {
    store.restart()
    if (await live(store, count, new Set(killers), every, into)) break
    assert.ok(deaths < 200, 'it comes to an end')
  }
  return { ...into, deaths, marks: store.marks }
}

test('messages that end the process are found and passed over, and no others', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 30 }),
      async (killers, every) => {
        const { deaths, handled, skipped } = await run(60, killers, every)
        assert.equal(
          skipped,
          [...killers].sort((a, b) => a - b),
        )
        assert.is(new Set(handled).size, 60 - killers.length, 'every other one is handled')
        assert.ok(deaths <= 9 * killers.length, `${deaths} deaths for ${killers.length} killers`)
      },
    ),
    { numRuns: 30 },
  )
})

test('a first killer is found after seven deaths: two that led nowhere, two among fewer and fewer, three begun alone', async () => {
  const { deaths, skipped } = await run(300, [107], 1_000)
  assert.equal([deaths, skipped], [7, [107]])
})

test('a processor that moves on is not careful, and stores nothing before it handles a message', async () => {
  const { marks, handled } = await run(500, [], 10)
  assert.equal([marks, handled.length], [0, 500])
})

test('starts that led nowhere cost a processor whose messages are harmless one mark in 256 of them', async () => {
  const store = new Store()
  store.record = { ...store.record, restarts: 90 }
  const into: Ended = { deaths: 0, handled: [], skipped: [], marks: 0 }
  await live(store, 2_560, new Set(), 50, into)
  assert.equal([store.marks, into.handled.length, store.record.restarts], [10, 2_560, 0])
})

test('it is not careful for ever: after 8,192 messages the killer is believed to be behind it', async () => {
  const store = new Store()
  store.record = { ...store.record, restarts: 9 }
  await live(store, 10_000, new Set(), 20_000, { deaths: 0, handled: [], skipped: [], marks: 0 })
  assert.is(store.marks, 8_192 / 256)
  assert.is(store.record.restarts, 0)
})

test('who was killed from outside while it was careful is careful again with what it had begun, and no longer', async () => {
  const store = new Store()
  store.record = { ...store.record, attempting: { sequence: 1, count: 256, tries: 1 } }
  await live(store, 2_000, new Set(), 10, { deaths: 0, handled: [], skipped: [], marks: 0 })
  assert.is(store.marks, 16)
})

test('of the messages that were begun those that are not done stay known, whatever of them a commit holds', async () => {
  const store = new Store()
  store.record = { ...store.record, restarts: 9 }
  const into: Ended = { deaths: 0, handled: [], skipped: [], marks: 0 }
  assert.is(await live(store, 300, new Set([100]), 40, into), false)
  assert.equal(store.record.attempting, { sequence: 81, count: 176, tries: 1 })
})

test('the attempt of a message is forgotten with its commit', async () => {
  const store = new Store()
  store.record = { ...store.record, restarts: 9, attempting: { sequence: 1, count: 1, tries: 2 } }
  await live(store, 3, new Set(), 1, { deaths: 0, handled: [], skipped: [], marks: 0 })
  assert.equal([store.record.attempting, store.record.position], [null, 3])
})

test('a message that was begun three times is stored as passed over before another one is begun', async () => {
  const store = new Store()
  store.record = { ...store.record, restarts: 9, attempting: { sequence: 1, count: 1, tries: 3 } }
  const into: Ended = { deaths: 0, handled: [], skipped: [], marks: 0 }
  assert.is(await live(store, 9, new Set([2]), 5, into), false)
  assert.equal([store.record.position, into.skipped], [1, [1]])
})

test('a message that is begun while turns wait is not mistaken for one of them', async () => {
  const store = new Store()
  store.record = { ...store.record, restarts: 9 }
  const careful = new CarefulStart(store.record, store as unknown as Committer, () => undefined)
  assert.equal(careful.before(storedMessage(1), true), { kind: 'wait' })
  store.add(turnOf(1, 1))
  assert.equal(careful.before(storedMessage(2), false), { kind: 'wait' })
  assert.is(store.marks, 0)
})

test.run()
