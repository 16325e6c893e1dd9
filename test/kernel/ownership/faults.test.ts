import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../../src/broker/connection.ts'
import { OWNERSHIP_STREAM } from '../../../src/broker/ownership-stream.ts'
import { fault, type MillraceError } from '../../../src/error/millrace-error.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { linkTo, type Link } from '../../support/link.ts'
import { ownServer, sharedServer } from '../../support/nats.ts'
import { testProgram } from '../../support/program.ts'
import { freshGroup, Ledger, memberOf } from './ledger.ts'

const test = suite('units shared by processes that fail')
const SHORT_LEASE = 1_500
/** Where nobody may be taken for dead: longer than this process may stand still. */
const LEASE = 4_000
/** Away for no longer, a member is not taken for gone; in ms. */
const TWO_KNOCKS = 700

interface Child {
  readonly process: ChildProcess
  readonly name: string
}

/** Starts a member in a process of its own, whose units go into the ledger. */
async function childMember(ledger: Ledger, group: string, leaseMs = 3_000): Promise<Child> {
  const { url } = await sharedServer()
  const script = fileURLToPath(new URL('member-process.ts', import.meta.url))
  const args = [...testProgram(script), url, group, '16', String(leaseMs)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => void child.kill('SIGKILL'))
  const name = `process-${child.pid}`
  if (child.stdout === null) throw new Error('no output')
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
    createInterface(child.stdout ?? process.stdin).on('line', (line) => {
      const [what, unit, at] = JSON.parse(line) as [string, string, number]
      if (what === 'joined') resolve()
      else if (what === 'begin') ledger.begin(unit, name, at)
      else ledger.end(unit, name, at)
    })
  })
  return { process: child, name }
}

const bodies: (() => Promise<void>)[] = []
let began: readonly Promise<void>[] | undefined

/** These tests wait most of the time, each in a group of its own: all of them begin with the first. */
function beside(body: () => Promise<void>): () => Promise<void> {
  const at = bodies.push(body) - 1
  return async () => {
    began ??= bodies.map((one) => one())
    await Promise.allSettled(began) // a failure of one is told by its own test
    await began[at]
  }
}

// processes take a second to start: both at once
const killedFrom = { ledger: new Ledger(), group: freshGroup() }
const frozenFrom = { ledger: new Ledger(), group: freshGroup() }
let children: readonly [Child, Child] | undefined
test.before(async () => {
  children = await Promise.all([
    childMember(killedFrom.ledger, killedFrom.group),
    childMember(frozenFrom.ledger, frozenFrom.group, SHORT_LEASE),
  ])
})

test(
  'O2 a process that is killed loses its units to the others after a lease',
  beside(async () => {
    const connection = await sharedConnection()
    const { ledger, group } = killedFrom
    const killed = children?.[0]
    if (killed === undefined) return assert.unreachable()
    const staying = await memberOf(ledger, { connection, group })
    await ledger.even([staying.name, killed.name], 16)
    const since = performance.now()
    killed.process.kill('SIGKILL')
    ledger.endAll(killed.name)
    await ledger.even([staying.name], 16)
    const ms = performance.now() - since
    console.log(`SIGKILL: its 8 units run elsewhere after ${Math.round(ms)} ms`)
    assert.ok(ms < 10_000, `${ms} ms`)
    assert.equal(ledger.overlaps(), [])
    await staying.ownership.stop()
  }),
)

test(
  'O3 a process that is frozen for longer than the lease stops what it lost, and gets units again',
  beside(async () => {
    const connection = await sharedConnection()
    const { ledger, group } = frozenFrom
    const frozen = children?.[1]
    if (frozen === undefined) return assert.unreachable()
    const staying = await memberOf(ledger, { connection, group, leaseMs: SHORT_LEASE })
    await ledger.even([staying.name, frozen.name], 16)
    frozen.process.kill('SIGSTOP')
    await eventually('the other has taken all', () => ledger.shares([staying.name])[0] === 16 || undefined)
    await systemClock.sleep(500)
    const since = performance.now()
    frozen.process.kill('SIGCONT')
    await eventually('it finds out', () => ledger.shares([frozen.name])[0] === 0 || undefined)
    console.log(`woken: it has stopped what it lost after ${Math.round(performance.now() - since)} ms`)
    assert.ok(performance.now() - since < 10_000)
    await ledger.even([staying.name, frozen.name], 16)
    console.log(`woken: it has its share again after ${Math.round(performance.now() - since)} ms`)
    assert.is(frozen.process.exitCode, null, 'it did not end')
    frozen.process.kill('SIGKILL')
    await staying.ownership.stop()
  }),
)

test('O1 O4 one to eight processes and back: no unit in two places, none left, and few moves', async () => {
  const { url } = await sharedServer()
  const ledger = new Ledger()
  const group = freshGroup()
  const members = []
  const moves = []
  for (let count = 1; count <= 8; count++) {
    const before = ledger.intervals.length
    members.push(await memberOf(ledger, { connection: await connectTo(url), group, leaseMs: 60_000, unitMs: 5 }))
    await ledger.even(
      members.map(({ name }) => name),
      16,
    )
    moves.push(ledger.intervals.length - before)
  }
  while (members.length > 1) {
    const before = ledger.intervals.length
    void members.shift()?.ownership.stop()
    await ledger.even(
      members.map(({ name }) => name),
      16,
    )
    moves.push(ledger.intervals.length - before)
  }
  console.log(`1 → 8 → 1: units moved at each step: ${moves.join(' ')}`)
  assert.equal(ledger.overlaps(), [])
  for (const [step, moved] of moves.entries()) {
    const from = step < 8 ? step + 1 : 16 - step // members, the one that comes or goes among them
    assert.ok(moved <= Math.ceil(16 / from), `step ${step}: ${moved} moved`)
  }
  await members[0]?.ownership.stop()
})

test(
  'O1 O2 a server that is killed and comes back leaves every unit where it was; who dies meanwhile is replaced',
  beside(async () => {
    const server = await ownServer()
    const ledger = new Ledger()
    const group = freshGroup()
    const options = { group, leaseMs: LEASE }
    const connections = await Promise.all([0, 1, 2].map(() => connectTo(server.url)))
    const members = await Promise.all(connections.map((connection) => memberOf(ledger, { connection, ...options })))
    const names = members.map(({ name }) => name)
    await ledger.even(names, 16)
    const { length } = ledger.intervals
    await server.kill()
    await systemClock.sleep(LEASE + 300)
    await server.restart()
    await systemClock.sleep(LEASE + 700)
    assert.is(ledger.intervals.length, length, 'nobody took anything from anybody')
    const [dead] = members
    await server.kill()
    await connections[0]?.nats.close()
    ledger.endAll(dead?.name ?? '')
    await server.restart()
    await ledger.even(names.slice(1), 16)
    assert.equal(ledger.overlaps(), [])
    await Promise.all(members.map(({ ownership }) => ownership.stop()))
  }),
)

/** Cuts a link; resolves when the connection is back. @returns how long it was away, in ms */
async function cutFor(link: Link, connection: Connection): Promise<number> {
  const since = performance.now()
  // it may be back before anybody looks again
  let [away, back] = [false, Infinity]
  const stop = connection.onStatus(({ kind }) => {
    if (kind !== 'connected') away = true
    else if (away) back = Math.min(back, performance.now())
  })
  link.cut()
  await eventually('it is back', () => back < Infinity)
  stop()
  return back - since
}

test(
  'O3 a process whose link is cut for longer than the lease loses its units, and gets its share back',
  beside(async () => {
    const { url } = await sharedServer()
    const link = await linkTo(url)
    const ledger = new Ledger()
    const group = freshGroup()
    const options = { group, leaseMs: LEASE }
    const staying = await memberOf(ledger, { connection: await connectTo(url), ...options })
    const linked = await connectTo(link.url)
    const cut = await memberOf(ledger, { connection: linked, ...options })
    await ledger.even([staying.name, cut.name], 16)
    link.close()
    await eventually('the other has taken all', () => ledger.shares([staying.name])[0] === 16 || undefined)
    assert.is(ledger.shares([cut.name])[0], 8, 'nobody can tell it')
    link.open()
    await eventually('it finds out', () => cut.ownership.counts.lost === 8 || undefined)
    await ledger.even([staying.name, cut.name], 16)
    // shorter than the lease: nothing comes of it, unless it is away for the time of three knocks
    for (let [away, tries] = [Infinity, 0]; away > TWO_KNOCKS; tries++) {
      assert.ok(tries < 10, `the last time it was away for ${away} ms`)
      const { lost } = cut.ownership.counts
      away = await cutFor(link, linked)
      await systemClock.sleep(1_000)
      if (away <= TWO_KNOCKS) assert.is(cut.ownership.counts.lost, lost)
      await ledger.even([staying.name, cut.name], 16)
    }
    assert.equal(cut.failures, [])
    await Promise.all([staying, cut].map(({ ownership }) => ownership.stop()))
  }),
)

test(
  'O1 when the stream is deleted, who runs a unit keeps it, and all goes on',
  beside(async () => {
    const server = await ownServer()
    const ledger = new Ledger()
    const options = { group: freshGroup(), leaseMs: LEASE }
    const connections = await Promise.all([0, 1].map(() => connectTo(server.url)))
    const members = await Promise.all(connections.map((connection) => memberOf(ledger, { connection, ...options })))
    const names = members.map(({ name }) => name)
    await ledger.even(names, 16)
    const { length } = ledger.intervals
    await connections[0]?.manager.streams.delete(OWNERSHIP_STREAM)
    await systemClock.sleep(LEASE + 700)
    assert.is(ledger.intervals.length, length)
    assert.equal(ledger.overlaps(), [])
    await members[0]?.ownership.stop()
    await ledger.even(names.slice(1), 16)
    await members[1]?.ownership.stop()
  }),
)

test(
  'being fenced is no error: the unit waits until its record says who has it',
  beside(async () => {
    const connection = await sharedConnection()
    const ends: ((error: MillraceError) => void)[] = []
    const { ownership, failures } = await memberOf(new Ledger(), {
      connection,
      group: freshGroup(),
      units: [{ id: 'rule-alarm-all', processor: 'rule-alarm' }],
      run: async () => ({ stop: async () => undefined, ended: new Promise((_, reject) => ends.push(reject)) }),
    })
    await eventually('it runs', () => ownership.held.length === 1 || undefined)
    ends[0]?.(fault('PROCESSOR_FENCED', 'by somebody outside of the group'))
    await eventually('it runs again, after a pause', () => ends.length === 2 || undefined)
    assert.equal(ownership.counts, { taken: 1, released: 0, lost: 1 })
    assert.equal(failures, [])
    await ownership.stop()
  }),
)

test(
  'a connection that is closed ends the member, and says so once',
  beside(async () => {
    const { url } = await sharedServer()
    const connection = await connectTo(url)
    const ledger = new Ledger()
    const told: MillraceError[] = []
    const member = await memberOf(ledger, { connection, group: freshGroup(), onEnd: (error) => told.push(error) })
    await ledger.even([member.name], 16)
    await connection.nats.close()
    await eventually('it is told', () => told.length > 0 || undefined)
    assert.is(told[0]?.code, 'BROKER_UNREACHABLE')
    assert.equal(ledger.running(), new Map(), 'every unit was stopped')
    await member.ownership.stop()
    assert.is(told.length, 1)
  }),
)

test.run()
