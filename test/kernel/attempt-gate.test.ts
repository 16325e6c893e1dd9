import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AttemptGate } from '../../src/kernel/attempt-gate.ts'
import { CarefulStart, type Care } from '../../src/kernel/careful-start.ts'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import type { Committer } from '../../src/kernel/committer.ts'
import { settled } from '../support/virtual-clock.ts'
import { freshRecord, storedMessage } from './messages.ts'

const test = suite('a gate of attempts')

/** A processor that shares its process with others, up to what it gives to its committer. */
class Unit {
  readonly handled: number[] = []
  readonly careful: CarefulStart
  waiting = 0
  #next = 1
  /** What the committer does with a mark. */
  marking: Promise<void> | undefined
  /** Whether a step has to end before its next message. */
  stepIsOpen = false

  constructor(gate: AttemptGate, record: Partial<CommitRecord> = {}) {
    const committer = {
      careful: false,
      mark: async () => this.marking ?? (await settled()),
    } as unknown as Committer
    Object.defineProperty(committer, 'waiting', { get: () => this.waiting })
    this.careful = new CarefulStart(freshRecord(record), committer, () => this.drain(), gate)
  }

  /** Handles the message that comes next, if it may. */
  drain(): Care['kind'] {
    if (this.stepIsOpen) return 'wait'
    const { kind } = this.careful.before(storedMessage(this.#next), false)
    if (kind === 'wait') return kind
    this.handled.push(this.#next++)
    this.waiting += 1
    return kind
  }

  commit(): void {
    this.waiting = 0
    this.careful.committed()
  }
}

const often = { restarts: 9 }

test('nobody handles anything while another has begun with messages, and all go on when they are stored', async () => {
  const gate = new AttemptGate()
  const [one, other, healthy] = [new Unit(gate, often), new Unit(gate, often), new Unit(gate)]
  assert.is(one.drain(), 'wait')
  assert.equal([other.drain(), healthy.drain()], ['wait', 'wait'])
  await settled()
  await settled()
  assert.equal([one.handled, other.handled, healthy.handled], [[1], [], []])
  one.commit()
  await settled()
  await settled()
  assert.equal([one.handled, other.handled, healthy.handled], [[1], [1], []], 'in turn')
  other.commit()
  assert.equal(healthy.handled, [1])
})

test('processors without a start that led nowhere never wait for each other', () => {
  const gate = new AttemptGate()
  const units = [new Unit(gate), new Unit(gate)]
  for (let at = 0; at < 10; at++) for (const unit of units) assert.is(unit.drain(), 'handle')
})

for (const [what, end] of [
  ['fails or is stopped', (unit: Unit) => unit.careful.release()],
  ['cannot store it for long', (unit: Unit) => unit.careful.release()],
  ['has nothing more to read', (unit: Unit) => unit.careful.caughtUp()],
] as const)
  test(`others go on when the one that has begun ${what}`, async () => {
    const gate = new AttemptGate()
    const [one, other] = [new Unit(gate, often), new Unit(gate)]
    one.stepIsOpen = what === 'has nothing more to read'
    one.drain()
    if (one.stepIsOpen) gate.close(one.careful)
    assert.is(other.drain(), 'wait')
    end(one)
    assert.equal(other.handled, [1])
  })

test('one whose mark is stored at last waits for those who have begun meanwhile', async () => {
  const gate = new AttemptGate()
  const [one, other] = [new Unit(gate, often), new Unit(gate, often)]
  let stored = (): void => undefined
  one.marking = new Promise((resolve) => (stored = resolve))
  one.drain()
  other.drain()
  one.careful.release() // it stalls
  await settled()
  await settled()
  assert.equal(other.handled, [1])
  stored()
  await settled()
  assert.equal(one.handled, [])
  other.commit()
  assert.equal(one.handled, [1])
})

test('others go on while a step has to end before the message that was begun', async () => {
  const gate = new AttemptGate()
  const [one, other] = [new Unit(gate, often), new Unit(gate)]
  one.drain()
  other.drain()
  one.stepIsOpen = true // its clock has gone on while the mark was stored
  await settled()
  await settled()
  assert.equal([one.handled, other.handled], [[], [1]])
  one.stepIsOpen = false
  assert.is(one.drain(), 'handle')
})

test.run()
