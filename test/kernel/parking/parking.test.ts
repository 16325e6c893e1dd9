// What parks a key and what does not, and what becomes of the events of one that is parked.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault, type MillraceError } from '../../../src/error/millrace-error.ts'
import type { Logic, MemoryKind, OnFailure, Processor } from '../../../src/kernel/processor.ts'
import { Alarm } from '../../support/kill-fixture.ts'
import { headersOf } from '../messages.ts'
import { ParkingHost } from './parking-host.ts'
import { work } from './tally.ts'

const test = suite('parked keys')

function parkedKeys({ unit }: ParkingHost): string[] {
  return unit.record.parked.map(({ key }) => key)
}

function numbers(host: ParkingHost, machine: string): number[] {
  return (host.effects().get(machine) ?? []).map(({ number }) => number)
}

/** A processor whose turns are what a test says. */
function turning(turn: Logic['turn'], fields: Partial<Processor> = {}): Partial<Processor> {
  return { start: () => ({ turn, stop: () => undefined }), ...fields }
}

function thrown(run: () => unknown): MillraceError {
  try {
    run()
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error('it went on')
}

test('PK3 the key of an event that fails is parked, others go on', () => {
  const host = new ParkingHost('keyed')
  host.publish([{ machine: 'a' }, { machine: 'a', hard: 1 }, { machine: 'b' }, { machine: 'a' }])
  host.publish([{ machine: 'b' }, { machine: 'a' }])
  host.run()
  assert.equal([numbers(host, 'a'), numbers(host, 'b')], [[1], [1, 2]])
  const [entry] = host.unit.record.parked
  assert.equal(
    [entry?.key, entry?.since, entry?.at, entry?.diverted, entry?.redriven, entry?.code],
    ['a', 1, 1, 3, 0, 'TURN_FAILED'],
  )
})

test('its dead letter names the key that is parked because of it', () => {
  const host = new ParkingHost('none')
  host.publish([{ machine: 'a', hard: 1 }])
  host.run()
  assert.equal(
    host.deadLetters.map(({ code, parkedKey }) => [code, parkedKey]),
    [['TURN_FAILED', 'a']],
  )
})

test('PK1 an event that fails again keeps its key parked; what was redriven behind it is taken later', () => {
  const host = new ParkingHost('snapshot')
  host.publish([{ machine: 'a', hard: 1 }])
  host.publish([{ machine: 'a', hard: 2 }])
  host.publish([{ machine: 'a' }])
  host.run()
  host.repair()
  host.redrive('a', 'next', 3)
  host.run()
  const [entry] = host.unit.record.parked
  assert.equal([entry?.redriven, entry?.diverted, entry?.failed], [1, 3, 6], 'the second one failed')
  assert.equal(numbers(host, 'a'), [1])
  assert.is(host.deadLetters.length, 2)
  host.finish()
  assert.equal(numbers(host, 'a'), [1, 2, 3])
})

test('PK2 events that are redriven twice, late, or out of order are taken once', () => {
  const host = new ParkingHost('keyed')
  host.publish([{ machine: 'a', hard: 1 }])
  host.publish([{ machine: 'a' }, { machine: 'a' }])
  host.run()
  host.repair()
  for (const [from, count] of [
    [2, 1],
    [0, 2],
    [0, 3],
    [0, 3],
  ] as const)
    host.redrive('a', from, count)
  host.publish([{ machine: 'a' }])
  host.redrive('a', 0, 3)
  host.run()
  assert.equal(numbers(host, 'a'), [1, 2, 3, 4])
  assert.equal(parkedKeys(host), [])
})

test('PK1 a key is back with the message after which nothing more was diverted, and not before', () => {
  const host = new ParkingHost('keyed')
  host.publish([{ machine: 'a', hard: 1 }])
  host.run()
  host.repair()
  host.publish([{ machine: 'a' }]) // before what comes back: diverted
  host.redrive('a', 0, 1)
  host.publish([{ machine: 'a' }]) // the key still waits for the second one: diverted too
  host.run()
  assert.equal([numbers(host, 'a'), host.unit.record.parked[0]?.diverted], [[1], 3])
  host.redrive('a', 1, 2)
  host.publish([{ machine: 'a' }]) // directly
  host.run()
  assert.equal([numbers(host, 'a'), parkedKeys(host)], [[1, 2, 3, 4], []])
})

test('an event that is left out is a dead letter, and the rest of its key goes on', () => {
  const host = new ParkingHost('keyed')
  host.publish([{ machine: 'a', hard: 9 }])
  host.publish([{ machine: 'a' }])
  host.run()
  host.pass('a')
  host.run()
  host.finish()
  assert.equal([numbers(host, 'a'), host.deadLetters.length], [[2], 1])
})

test('an event without a key, or with one that cannot be read, has no order to keep: it is a dead letter, and no key is parked', () => {
  const unreadable = (): string => {
    throw new Error('no key')
  }
  for (const keyOf of [() => undefined, () => '', () => 'k'.repeat(1_001), unreadable]) {
    const host = new ParkingHost('none', 950, { keyOf })
    host.publish([{ machine: 'a', hard: 1 }])
    host.publish([{ machine: 'a' }])
    host.run()
    assert.equal([parkedKeys(host), numbers(host, 'a'), host.deadLetters.length], [[], [2], 1])
  }
})

test('the key is the one whose order the processor keeps', () => {
  const host = new ParkingHost('none', 950, { keyOf: ({ data }) => (data as { machine: string }).machine.slice(0, 1) })
  host.publish([{ machine: 'a', hard: 1 }])
  host.publish([{ machine: 'ab' }, { machine: 'b' }])
  host.run()
  assert.equal([parkedKeys(host), numbers(host, 'ab'), numbers(host, 'b')], [['a'], [], [1]])
})

test('an event that breaks its contract is a dead letter and parks nothing; one of a parked key is not diverted', () => {
  const host = new ParkingHost('keyed')
  host.append([{ ...work('a', 1), data: { machine: 'a' } }])
  host.run()
  assert.equal([parkedKeys(host), host.deadLetters.map(({ processor }) => processor)], [[], ['contract']])
  host.publish([{ machine: 'a', hard: 1 }])
  host.append([{ ...work('a', 9), data: { machine: 'a' } }])
  host.run()
  assert.equal([host.unit.record.parked[0]?.diverted, host.deadLetters.length], [1, 3])
})

test('what fails beside the event, such as another key’s timer, parks nothing', () => {
  const turn = (_: unknown, fail: OnFailure) => {
    fail(new Error('a timer of somebody else'))
    return []
  }
  const host = new ParkingHost('keyed', 950, turning(turn))
  host.publish([{ machine: 'a' }])
  host.run()
  assert.equal([parkedKeys(host), host.deadLetters.length], [[], 1])
})

test('a logic that undid what its event did, and put out what others did, parks the key and keeps the outputs', () => {
  const turn = (_: unknown, fail: OnFailure) => {
    fail(new Error('this event'), true)
    return [Alarm({ machine: 'timer', count: 1, sum: 100 })]
  }
  const host = new ParkingHost('keyed', 950, turning(turn))
  host.publish([{ machine: 'a' }])
  host.run()
  assert.equal([parkedKeys(host), numbers(host, 'timer')], [['a'], [1]])
})

test('without a state an event is handled as a whole: when one of its outputs is none, nothing of it is put out', () => {
  const turn = () => [Alarm({ machine: 'a', count: 1, sum: 100 }), 'no event' as never]
  const host = new ParkingHost('none', 950, turning(turn))
  host.publish([{ machine: 'a' }])
  host.run()
  assert.equal(
    [parkedKeys(host), numbers(host, 'a'), host.deadLetters.map(({ code }) => code)],
    [['a'], [], ['OUTPUT_INVALID']],
  )
})

test('stop: the processor stops before the event, naming it and the cause', () => {
  for (const memory of ['none', 'keyed'] as MemoryKind[]) {
    const host = new ParkingHost(memory, 950, { onPoison: 'stop' })
    host.publish([{ machine: 'a' }])
    host.publish([{ machine: 'a', hard: 1 }])
    host.next()
    host.commit(false)
    const error = thrown(() => host.next())
    assert.is(error.code, 'POISON_STOPPED')
    assert.match(error.detail, /^pipeline-tally-.*: reading\.taken e2-0 at sequence 2: too hard: 210$/)
    assert.instance(error.cause, Error)
    assert.is(host.unit.record.position, 1)
  }
})

test('stop: an event that breaks its contract does not stop it, and one that ends the process does', () => {
  const host = new ParkingHost('none', 950, { onPoison: 'stop' })
  host.append([{ ...work('a', 1), data: { machine: 'a' } }])
  host.publish([{ machine: 'a' }])
  host.run()
  assert.is(host.unit.record.position, 2)
  host.publish([{ machine: 'a' }])
  const killer = host.log.at(-1)
  assert.ok(killer)
  assert.is(thrown(() => host.unit.skip(killer)).code, 'POISON_STOPPED')
})

test('PK4 an event that ended the process parks its key, also in a replay', () => {
  const host = new ParkingHost('replay')
  host.publish([{ machine: 'a' }, { machine: 'b' }])
  host.publish([{ machine: 'a' }])
  host.publish([{ machine: 'a' }])
  host.next()
  const killer = host.log[1]
  assert.ok(killer)
  host.unit.skip(killer)
  host.commit(false)
  host.crash()
  host.run()
  assert.equal([parkedKeys(host), host.unit.record.parked[0]?.code], [['a'], 'PROCESS_KILLED'])
  host.finish()
  assert.equal(numbers(host, 'a'), [1, 2, 3])
})

test('PK4 another rule counts from where it begins: what was decided before is repeated as it was', () => {
  for (const memory of ['replay', 'snapshot'] as MemoryKind[]) {
    const host = new ParkingHost(memory, 950, { onPoison: 'continue' })
    host.publish([{ machine: 'a' }, { machine: 'b' }])
    host.publish([{ machine: 'a', hard: 1 }])
    host.publish([{ machine: 'a' }])
    host.run()
    host.become({ onPoison: 'park' })
    assert.equal(parkedKeys(host), [])
    host.publish([{ machine: 'a', hard: 1 }])
    host.publish([{ machine: 'a' }])
    host.run()
    host.become({ onPoison: 'continue' })
    host.publish([{ machine: 'a' }])
    host.run()
    assert.equal(parkedKeys(host), ['a'], 'what is parked stays so, and what follows is diverted')
    host.become({ onPoison: 'park' })
    host.finish()
    assert.equal(numbers(host, 'a'), [1, 3, 4, 5, 6])
  }
})

test('with `continue`, what is still parked comes back, and what fails again is a dead letter', () => {
  const host = new ParkingHost('keyed')
  host.publish([{ machine: 'a', hard: 9 }])
  host.publish([{ machine: 'a' }])
  host.run()
  host.become({ onPoison: 'continue' })
  host.redrive('a', 0, 2)
  host.run()
  assert.equal([numbers(host, 'a'), parkedKeys(host), host.deadLetters.length], [[2], [], 2])
})

test('more than 1,000 parked keys, or as much text, stop the processor before the event', () => {
  for (const [keys, name] of [
    [1_000, (at: number) => `m${at}`],
    [100, (at: number) => `${at}`.padStart(1_000, '.')],
  ] as const) {
    const host = new ParkingHost('none')
    for (let at = 0; at <= keys; at++) host.publish([{ machine: name(at), hard: 1 }])
    const error = thrown(() => host.run())
    assert.is(error.code, 'TOO_MANY_PARKED_KEYS')
    while (host.unit.waiting > 0) host.commit(false)
    assert.equal([host.unit.record.position, host.unit.record.parked.length], [keys, keys])
  }
})

test('what is no event of a park, or of one that nobody knows, is passed over', () => {
  const host = new ParkingHost('snapshot')
  host.publish([{ machine: 'a', hard: 1 }])
  host.run()
  const [{ message } = { message: undefined }] = host.parked('a')
  assert.ok(message)
  const without = (name: string) => message.headers.filter(([other]) => other !== name)
  for (const headers of [
    [],
    without('Millrace-Park-Key'),
    [...without('Millrace-Park-Key'), ['Millrace-Park-Key', 'a%'] as const],
    [...without('Millrace-Park-Number'), ['Millrace-Park-Number', '-1'] as const],
    [...without('Millrace-Park-Id'), ['Millrace-Park-Id', '7-0'] as const],
  ])
    host.put({ ...message, subject: host.subject, headers })
  host.run()
  host.crash()
  assert.equal([host.unit.record.parked[0]?.redriven, host.deadLetters.length], [0, 1])
  assert.is(headersOf(message.headers).get('Millrace-Park-Sequence'), '1')
})

test.run()
