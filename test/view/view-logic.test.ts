// A unit of a view that dies at any point: what it stores is what one stores that never died.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { MemoryRows } from '../../src/view/memory-rows.ts'
import type { RowChange, RowStore, WrittenRow } from '../../src/view/row-store.ts'
import { ViewLogic } from '../../src/view/view-logic.ts'
import { machines, type Row } from './sample-view.ts'

const test = suite('view logic')

/** Rows that are stored until the process dies, after so many. */
class DyingRows extends MemoryRows implements RowStore {
  left = Number.POSITIVE_INFINITY
  /** A lower sequence than the one before it, of any row. */
  backwards = 0

  override async write(changes: readonly RowChange[]): Promise<readonly WrittenRow[]> {
    const written: WrittenRow[] = []
    for (const change of changes) {
      if (this.left-- <= 0) throw new Error('it died')
      await Promise.resolve()
      const before = this.rows.get(change.key)?.sequence ?? 0
      written.push(this.writeOne(change))
      if ((this.rows.get(change.key)?.sequence ?? 0) < before) this.backwards += 1
    }
    return written
  }
}

interface Message {
  readonly sequence: number
  readonly events: readonly { readonly machine: string; readonly value: number | null }[]
}

function stored(sequence: number, { machine, value }: Message['events'][number]): StoredEvent {
  const type = value === null ? 'machine.removed' : 'machine.measured'
  return { type, key: machine, data: { machine, value }, sequence, storedAt: sequence } as unknown as StoredEvent
}

/** What a kernel does with a logic: turns in order, and commits of the first of them. */
class Unit {
  readonly logic: ViewLogic
  readonly log: readonly Message[]
  position: number
  /** Sequences of events that failed, of turns that are not committed. */
  failed: { readonly sequence: number; readonly machine: string }[] = []

  constructor(log: readonly Message[], store: RowStore, position: number, rows: number) {
    this.log = log
    this.position = position
    const fail = (error: Error): never => {
      throw error
    }
    const view = machines('S', { memory: { rows } })
    this.logic = new ViewLogic({ view, store, wake: () => undefined, onBroken: fail })
  }

  async take(message: Message): Promise<void> {
    const events = message.events.map((event) => stored(message.sequence, event))
    while (!events.every((event) => this.logic.admits(event))) await Promise.resolve()
    for (const event of events)
      try {
        this.logic.turn(event)
      } catch (error) {
        assert.ok(isFault(error, 'VIEW_FOLD_FAILED'))
        this.failed.push({ sequence: message.sequence, machine: event.key ?? '' })
      }
    this.logic.afterCommit()
  }
}

const message = fc.array(
  fc.record({
    machine: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: -1, max: 9 }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
  }),
  { minLength: 1, maxLength: 3 },
)
const messages = fc
  .array(message, { minLength: 1, maxLength: 12 })
  .map((all) => all.map((events, at): Message => ({ sequence: (at + 1) * 3, events })))

interface End {
  readonly rows: Record<string, Row | undefined>
  readonly dead: readonly string[]
}

/**
 * Runs a log to its end.
 * @param dies after how many written rows the first process ends, while it commits what it has taken so far
 * @param ahead turns that it takes beyond what it commits
 */
async function run(log: readonly Message[], rows: number, dies: number, ahead: number): Promise<End> {
  const store = new DyingRows()
  const dead = new Set<string>()
  let position = 0
  const work = async (left: number, most: number): Promise<void> => {
    store.left = left
    const unit = new Unit(log, store, position, most)
    const own = log.filter(({ sequence }) => sequence > position)
    for (let at = 0; at < own.length; at += 2) {
      for (const one of own.slice(at === 0 ? 0 : at + ahead, at + 2 + ahead)) await unit.take(one)
      const through = own[Math.min(own.length - 1, at + 1)]?.sequence ?? 0
      for (const { sequence, machine } of unit.failed) if (sequence <= through) dead.add(`${sequence} ${machine}`)
      await unit.logic.beforeCommit(through)
      position = through
    }
  }
  await work(dies, rows).catch((error: Error) => assert.is(error.message, 'it died'))
  await work(Number.POSITIVE_INFINITY, rows)
  assert.is(store.backwards, 0)
  return {
    rows: Object.fromEntries([...store.rows].map(([key, { row }]) => [key, row as Row | undefined])),
    dead: [...dead].sort(),
  }
}

test('VW1 VW2 a unit that dies after any row leaves what one leaves that never died', async () => {
  await fc.assert(
    fc.asyncProperty(
      messages,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 0, max: 3 }),
      async (log, rows, dies, ahead) => {
        const whole = await run(log, 100, Number.POSITIVE_INFINITY, 0)
        assert.equal(sortedEnd(await run(log, rows, dies, ahead)), sortedEnd(whole))
      },
    ),
    { numRuns: 300 },
  )
})

test('VW1 an event that fails is told of though its row was stored by a process that died', async () => {
  const log: Message[] = [
    { sequence: 1, events: [{ machine: 'a', value: -1 }] },
    { sequence: 2, events: [{ machine: 'a', value: 5 }] },
  ]
  const end = await run(log, 10, 0, 0)
  assert.equal(end.dead, ['1 a'])
  assert.is(end.rows['a']?.count, 1)
})

test('VW1 a row is not stored beyond the position, or an event that failed between would be passed over untold', async () => {
  const event = (machine: string, value: number): Message['events'] => [{ machine, value }]
  const values = [event('a', 1), event('b', 1), event('a', -1), event('a', 2)]
  const end = await run(
    values.map((events, at) => ({ sequence: at + 1, events })),
    10,
    1,
    2,
  )
  assert.equal(end.dead, ['3 a'])
  assert.is(end.rows['a']?.sum, 3)
})

test('VW3 a zombie that wakes up replaces no row that is further', async () => {
  const store = new DyingRows()
  const log: Message[] = [1, 2, 3].map((sequence) => ({ sequence, events: [{ machine: 'a', value: sequence }] }))
  const zombie = new Unit(log, store, 0, 10)
  const owner = new Unit(log, store, 0, 10)
  await zombie.take(log[0] as Message)
  for (const one of log) await owner.take(one)
  await owner.logic.beforeCommit(3)
  await zombie.logic.beforeCommit(1)
  assert.is(store.rows.get('a')?.sequence, 3)
  assert.is((store.rows.get('a')?.row as Row | undefined)?.sum, 6)
})

test('what fold and key may not give is an error with a code, and leaves the row as it was', async () => {
  const store = new MemoryRows()
  const bad = [undefined, new Date(0), () => 1, { at: { n: Number.NaN } }, 5n] as const
  const view = machines('S', { fold: ((row: unknown, event: StoredEvent) => bad[event.sequence] ?? row) as never })
  const logic = new ViewLogic({ view, store, wake: () => undefined, onBroken: () => assert.unreachable() })
  for (const sequence of [1, 2, 3, 4]) {
    const event = stored(sequence, { machine: 'a', value: 1 })
    while (!logic.admits(event)) await Promise.resolve()
    assert.throws(
      () => logic.turn(event),
      (error: unknown) => isFault(error, 'VIEW_FOLD_FAILED'),
    )
  }
  await logic.beforeCommit(9)
  assert.is(store.rows.size, 0)
})

test('a fold that changes its row instead of giving a new one is an error', async () => {
  const store = new MemoryRows()
  const view = machines('S', {
    fold: (row) => {
      if (row === undefined) return { count: 1, sum: 0, trail: 0 }
      ;(row as { count: number }).count += 1
      return row
    },
  })
  const logic = new ViewLogic({ view, store, wake: () => undefined, onBroken: () => assert.unreachable() })
  const [first, second] = [1, 2].map((sequence) => stored(sequence, { machine: 'a', value: 1 })) as [
    StoredEvent,
    StoredEvent,
  ]
  while (!logic.admits(first)) await Promise.resolve()
  logic.turn(first)
  assert.throws(
    () => logic.turn(second),
    (error: unknown) => isFault(error, 'VIEW_FOLD_FAILED'),
  )
})

function sortedEnd({ rows, dead }: End): unknown {
  const kept = Object.entries(rows).filter(([, row]) => row !== undefined)
  return { rows: kept.sort(([one], [other]) => (one < other ? -1 : 1)), dead }
}

test.run()
