import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OWNERSHIP_STREAM } from '../../../src/broker/ownership-stream.ts'
import { fault } from '../../../src/error/millrace-error.ts'
import { pause, resume } from '../../../src/kernel/ownership/pause.ts'
import { readOwnership, readPaused } from '../../../src/kernel/ownership/read-ownership.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually, sharedConnection } from '../../support/broker.ts'
import { sharedServer } from '../../support/nats.ts'
import { faultOf } from '../../support/numbered.ts'
import { freshGroup, Ledger, memberOf, unitsOf } from './ledger.ts'

const test = suite('units shared by processes')

/** Longer than anything here is waited for: who waits for a lease fails, and a pause of the process ends none. */
const leaseMs = 60_000

async function connections(count: number) {
  const { url } = await sharedServer()
  return Promise.all(Array.from({ length: count }, () => connectTo(url)))
}

test('a process that is alone takes everything at once, also after another was there', async () => {
  const connection = await sharedConnection()
  const ledger = new Ledger()
  const group = freshGroup()
  const first = await memberOf(ledger, { connection, group, leaseMs })
  await ledger.even([first.name], 16)
  await first.ownership.stop()
  const since = performance.now()
  const second = await memberOf(ledger, { connection, group, leaseMs })
  await ledger.even([second.name], 16)
  const ms = performance.now() - since
  console.log(`alone: everything runs ${Math.round(ms)} ms after the start`)
  assert.ok(ms < leaseMs, `${ms} ms: a lease was waited for`)
  await second.ownership.stop()
  assert.equal(second.ownership.counts, { taken: 16, released: 16, lost: 0 })
})

test('O1 O4 two that start at once share the units, each unit in one place', async () => {
  const [one, other] = await connections(2)
  const ledger = new Ledger()
  const group = freshGroup()
  if (one === undefined || other === undefined) return assert.unreachable()
  const pair = await Promise.all([one, other].map((connection) => memberOf(ledger, { connection, group, leaseMs })))
  const names = pair.map(({ name }) => name)
  await ledger.even(names, 16)
  const { length } = ledger.intervals
  await systemClock.sleep(1_000)
  assert.is(ledger.intervals.length, length, 'and they stay where they are')
  assert.ok(length <= 24, `${length} starts`)
  assert.equal(ledger.overlaps(), [])
  await Promise.all(pair.map(({ ownership }) => ownership.stop()))
  assert.equal(ledger.running(), new Map())
})

test('O1 O2 a process that stops hands its units over at once', async () => {
  const [one, other] = await connections(2)
  const ledger = new Ledger()
  const group = freshGroup()
  if (one === undefined || other === undefined) return assert.unreachable()
  const leaving = await memberOf(ledger, { connection: one, group, leaseMs, unitMs: 20 })
  const staying = await memberOf(ledger, { connection: other, group, leaseMs, unitMs: 20 })
  await ledger.even([leaving.name, staying.name], 16)
  const since = performance.now()
  const stopped = leaving.ownership.stop()
  await ledger.even([staying.name], 16)
  const ms = performance.now() - since
  console.log(`clean stop: 8 units run elsewhere after ${Math.round(ms)} ms, 40 of them starting and stopping`)
  assert.ok(ms < leaseMs, `${ms} ms: a lease was waited for`)
  await stopped
  assert.equal(ledger.overlaps(), [])
  assert.equal(staying.ownership.members, [staying.ownership.member])
  await staying.ownership.stop()
})

test('O5 units of a paused processor stop and stay so, for who comes later too, until it is resumed', async () => {
  const [one, other] = await connections(2)
  const ledger = new Ledger()
  const group = freshGroup()
  if (one === undefined || other === undefined) return assert.unreachable()
  const units = [...unitsOf(8), ...unitsOf(4, 'rule-alarm')]
  const first = await memberOf(ledger, { connection: one, group, leaseMs, units })
  await ledger.even([first.name], 12)
  await pause(other, group, 'rule-alarm', { reason: 'the rule is being changed' })
  await eventually('the rule stands still', () => ledger.running().size === 8 || undefined)
  assert.equal(await readPaused(other, systemClock, group), new Map([['rule-alarm', 'the rule is being changed']]))
  const second = await memberOf(ledger, { connection: other, group, leaseMs, units })
  await ledger.even([first.name, second.name], 8)
  await systemClock.sleep(300)
  assert.ok([...ledger.running().keys()].every((unit) => unit.startsWith('pipeline-velocity')))
  await resume(other, group, 'rule-alarm')
  await ledger.even([first.name, second.name], 12)
  assert.equal(await readPaused(other, systemClock, group), new Map())
  assert.equal(ledger.overlaps(), [])
  await Promise.all([first, second].map(({ ownership }) => ownership.stop()))
})

test('a processor may be paused before any process is there', async () => {
  const connection = await sharedConnection()
  const ledger = new Ledger()
  const group = freshGroup()
  await pause(connection, group, 'pipeline-velocity')
  const only = await memberOf(ledger, { connection, group })
  await systemClock.sleep(300)
  assert.equal(ledger.intervals, [])
  await resume(connection, group, 'pipeline-velocity')
  await ledger.even([only.name], 16)
  await only.ownership.stop()
})

test('who holds what can be read, with members, what they refuse, and what nobody runs', async () => {
  const connection = await sharedConnection()
  const ledger = new Ledger()
  const group = freshGroup()
  assert.equal(await readOwnership(connection, systemClock, group), { members: [], units: [], paused: new Map() })
  const broken = fault('SNAPSHOT_INVALID', 'here')
  const { ownership, failures } = await memberOf(ledger, {
    connection,
    group,
    units: unitsOf(2),
    run: async (unit) => {
      if (unit.endsWith('-1')) throw broken
      return { stop: async () => undefined, ended: new Promise(() => undefined) }
    },
  })
  await eventually('it is reported', () => failures.length > 0 || undefined)
  const id = ownership.member
  const status = await eventually('it is given back', async () => {
    const read = await readOwnership(connection, systemClock, group)
    const given = read.units[1]?.owner === undefined && read.units[0]?.owner === id
    // it is heard of again and again: soon after one of these times
    return given && (read.members[0]?.silentMs ?? Infinity) < 1_500 ? read : undefined
  })
  assert.equal(failures, [['pipeline-velocity-1', broken]])
  assert.is(status.members.length, 1)
  const [member] = status.members
  assert.ok(member !== undefined && member.alive)
  assert.is(member.id, id)
  assert.is(member.state, 'running')
  assert.equal(member.refused, { 'pipeline-velocity-1': 'SNAPSHOT_INVALID' })
  assert.equal(status.units, [
    { id: 'pipeline-velocity-0', processor: 'pipeline-velocity', owner: id, alive: true },
    { id: 'pipeline-velocity-1', processor: undefined, owner: undefined, alive: false },
  ])
  await ownership.stop()
  const left = await readOwnership(connection, systemClock, group)
  assert.equal(left.members, [])
  assert.ok(left.units.every(({ owner }) => owner === undefined))
})

test('a unit that was refused is tried again with another revision, and units may come and go', async () => {
  const connection = await sharedConnection()
  const ledger = new Ledger()
  const group = freshGroup()
  let tries = 0
  const [unit] = unitsOf(1)
  if (unit === undefined) return assert.unreachable()
  const { ownership, failures } = await memberOf(ledger, {
    connection,
    group,
    units: [{ ...unit, revision: '1' }],
    run: async () => {
      tries += 1
      if (tries === 1) throw new Error('a mistake in the code')
      return { stop: async () => undefined, ended: new Promise(() => undefined) }
    },
  })
  await eventually('it was reported', () => failures.length > 0 || undefined)
  assert.is(failures[0]?.[1].code, 'INTERNAL')
  ownership.update([{ ...unit, revision: '1' }])
  await systemClock.sleep(200)
  assert.is(tries, 1)
  ownership.update([{ ...unit, revision: '2' }])
  await eventually('it runs', () => ownership.held.length === 1 || undefined)
  ownership.update([{ ...unit, revision: '3' }])
  await eventually('it was started anew', () => (tries === 3 && ownership.held.length === 1) || undefined)
  ownership.update(unitsOf(3, 'rule-alarm'))
  await eventually('others run', () => ownership.held.join() === 'rule-alarm-0,rule-alarm-1,rule-alarm-2' || undefined)
  await ownership.stop()
})

test('a unit that does not stop is given back after its limit', async () => {
  const connection = await sharedConnection()
  const group = freshGroup()
  const stuck = await memberOf(new Ledger(), {
    connection,
    group,
    units: unitsOf(2),
    drainLimitMs: 200,
    run: async () => ({ stop: () => new Promise(() => undefined), ended: new Promise(() => undefined) }),
  })
  await eventually('both run', () => stuck.ownership.held.length === 2 || undefined)
  await pause(connection, group, 'pipeline-velocity')
  await eventually('both are given back', async () => {
    const { units } = await readOwnership(connection, systemClock, group)
    return units.every(({ owner }) => owner === undefined) || undefined
  })
  // it hears of it a moment after the stream has it
  await eventually('it counts both', () => stuck.ownership.counts.released === 2)
  assert.equal(stuck.ownership.counts, { taken: 2, released: 2, lost: 0 })
  await stuck.ownership.stop()
})

test('names that cannot be part of a subject are refused, and so are two units of one name', async () => {
  const connection = await sharedConnection()
  const ledger = new Ledger()
  const refused = async (options: object): Promise<void> => {
    const { code } = await faultOf(memberOf(ledger, { connection, group: freshGroup(), ...options }))
    assert.is(code, 'OWNERSHIP_NAME_INVALID')
  }
  await refused({ group: 'a.b' })
  await refused({ units: [{ id: 'a b', processor: 'p' }] })
  await refused({ units: [{ id: 'a', processor: '*' }] })
  await refused({ units: [...unitsOf(1), ...unitsOf(1)] })
  assert.is((await faultOf(pause(connection, 'g', '>'))).code, 'OWNERSHIP_NAME_INVALID')
})

test('the stream keeps the last word on each subject, on file', async () => {
  const connection = await sharedConnection()
  const { ownership } = await memberOf(new Ledger(), { connection, group: freshGroup() })
  const { config } = await connection.manager.streams.info(OWNERSHIP_STREAM)
  assert.equal(
    [config.max_msgs_per_subject, config.allow_msg_ttl, config.storage, config.num_replicas],
    [1, true, 'file', 1],
  )
  await ownership.stop()
})

test.run()
