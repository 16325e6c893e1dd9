// Many members, slow links, lost answers, frozen and killed processes, a server that goes away and a stream that is lost:
// all of it by seed, on a clock that passes as fast as it can.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fault } from '../../../src/error/millrace-error.ts'
import { Simulation } from './simulation.ts'
import { survivesStorm, unitsOf, wrong } from './storm.ts'

const test = suite('units shared by members, simulated')

const SCENARIOS = Number(process.env['OWNERSHIP_SEEDS'] ?? 25)
const FIRST = Number(process.env['OWNERSHIP_SEED'] ?? 1)
/** Seeds that have found mistakes. */
const PINNED = [1490]

test('O1 O2 O3 O4 after any storm every unit runs once, in even shares, and stays where it is', async () => {
  const seeds = Array.from({ length: SCENARIOS }, (_, at) => FIRST + at)
  for (const seed of [...PINNED, ...seeds]) await survivesStorm(seed)
})

test('O1 O4 one to eight members and back, one after the other: no unit twice, and few moves', async () => {
  for (const seed of [1, 2, 3]) {
    const units = unitsOf(4, 16)
    const simulation = new Simulation(seed, units)
    const { clock } = simulation
    simulation.join()
    await clock.pass(500)
    assert.is(simulation.intervals.length, units.length)
    let moves = simulation.intervals.length
    for (let count = 2; count <= 8; count++) {
      simulation.join()
      await clock.pass(1_500)
      assert.equal(wrong(simulation), [])
      const moved = simulation.intervals.length - moves
      assert.ok(moved <= Math.ceil(units.length / count), `${moved} moved for member ${count}`)
      moves = simulation.intervals.length
    }
    while (simulation.living.length > 1) {
      const member = simulation.living[0]
      if (member !== undefined) void simulation.leave(member)
      await clock.pass(1_500)
      assert.equal(wrong(simulation), [])
      const moved = simulation.intervals.length - moves
      assert.ok(moved <= Math.ceil(units.length / (simulation.living.length + 1)), `${moved} moved when one left`)
      moves = simulation.intervals.length
    }
    assert.equal(simulation.overlaps(), [])
  }
})

test('eight members that start together share the units without taking them from each other twice', async () => {
  for (const seed of [4, 5, 6, 7]) {
    const units = unitsOf(4, 16)
    const simulation = new Simulation(seed, units)
    for (let count = 0; count < 8; count++) simulation.join()
    await simulation.clock.pass(2_000)
    assert.equal(wrong(simulation), [])
    assert.equal(simulation.overlaps(), [])
    assert.ok(simulation.intervals.length <= 2 * units.length, `${simulation.intervals.length} starts`)
  }
})

test('members that come together do not move units for each of them', async () => {
  const units = unitsOf(4, 16)
  const simulation = new Simulation(12, units)
  const { clock } = simulation
  simulation.join()
  await clock.pass(1_000)
  for (let count = 0; count < 3; count++) {
    simulation.join()
    await clock.pass(150)
  }
  await clock.pass(1_500)
  assert.equal(wrong(simulation), [])
  assert.is(simulation.intervals.length, 64 + 48, 'each unit that moved has moved once')
})

test('O2 who leaves keeps nobody waiting: what has stopped is taken while the rest still stops', async () => {
  const simulation = new Simulation(13, unitsOf(1, 8))
  const { clock } = simulation
  const leaving = simulation.join()
  await clock.pass(500)
  simulation.join()
  await clock.pass(1_000)
  simulation.stopMs = (unit) => (unit === 'p0-0' || unit === 'p0-1' ? 3_000 : 0)
  void simulation.leave(leaving)
  await clock.pass(1_000)
  const running = [...simulation.running()].filter(([, members]) => members.length === 0).map(([unit]) => unit)
  assert.ok(running.length === 0, `waiting: ${running.join(' ')}`)
  const others = [...simulation.running()].filter(([, members]) => members[0] === 'm1')
  assert.ok(others.length >= 6, `${others.length} run elsewhere`)
  await clock.pass(3_000)
  assert.equal(wrong(simulation), [])
  assert.equal(simulation.overlaps(), [])
})

test('O2 a process that starts after another died waits for the rest of the lease only, and for a moment at least', async () => {
  const simulation = new Simulation(14, unitsOf(1, 8))
  const { clock } = simulation
  const first = simulation.join()
  await clock.pass(1_000)
  simulation.kill(first)
  await clock.pass(2_700)
  simulation.join()
  await clock.pass(1_600)
  assert.equal(wrong(simulation), [])
})

for (const awayMs of [3_500, 20_000])
  test(`O1 who starts when the server is back from ${awayMs} ms takes nothing from those who were cut off from it`, async () => {
    const simulation = new Simulation(16, unitsOf(1, 8))
    const { clock, stream } = simulation
    const [one, other] = [simulation.join(), simulation.join()]
    await clock.pass(2_000)
    const { length } = simulation.intervals
    stream.leave()
    await clock.pass(awayMs)
    stream.comeBack()
    for (const { link } of [one, other]) link.cut() // it finds its way a little later than who starts
    simulation.join()
    await clock.pass(400)
    for (const { link } of [one, other]) link.restore()
    await clock.pass(3_000)
    assert.equal(wrong(simulation), [])
    assert.equal(simulation.overlaps(), [])
    const moved = simulation.intervals.length - length
    assert.ok(moved <= 3, `${moved} units moved, a share is three at most`)
  })

test('O3 a process that is stopped again and again is given nothing, and the others are left in peace', async () => {
  const simulation = new Simulation(15, unitsOf(1, 8))
  const { clock } = simulation
  simulation.join()
  const sick = simulation.join()
  await clock.pass(2_000)
  simulation.excuse(60_000, sick)
  let { length } = simulation.intervals
  for (let round = 0; round < 6; round++) {
    sick.link.freeze()
    await clock.pass(4_000)
    sick.link.thaw()
    await clock.pass(1_500)
    if (round === 0) length = simulation.intervals.length
  }
  assert.is(simulation.intervals.length, length, 'after the first time nothing moved')
  await clock.pass(5_000)
  assert.equal(wrong(simulation), [])
})

test('a unit that cannot run in one process is run by another; where none can, each tried once', async () => {
  const units = unitsOf(1, 6)
  const simulation = new Simulation(8, units)
  const broken = (unit: string) => (unit === 'p0-1' ? fault('SNAPSHOT_INVALID', unit) : undefined)
  simulation.join({ run: broken })
  await simulation.clock.pass(3_000)
  assert.equal(simulation.running().get('p0-1'), [])
  assert.equal(simulation.failures, ['m0 p0-1 SNAPSHOT_INVALID'])
  simulation.join()
  await simulation.clock.pass(3_000)
  assert.equal(simulation.running().get('p0-1'), ['m1'])
  assert.equal(wrong(simulation), [])

  const hopeless = new Simulation(9, units)
  for (let count = 0; count < 3; count++) hopeless.join({ run: broken })
  await hopeless.clock.pass(20_000)
  assert.equal(
    [...hopeless.failures].sort(),
    [0, 1, 2].map((at) => `m${at} p0-1 SNAPSHOT_INVALID`),
  )
  assert.is([...hopeless.running().values()].flat().length, 5)
})

test('an error of the broker is tried again here, with pauses', async () => {
  let tries = 0
  const simulation = new Simulation(10, unitsOf(1, 1))
  simulation.join({ run: () => ((tries += 1) < 5 ? fault('BROKER_TIMEOUT', 'here') : undefined) })
  await simulation.clock.pass(2_000)
  assert.ok(tries >= 2 && tries <= 3, `${tries} tries in 2 s`)
  await simulation.clock.pass(10_000)
  assert.is(tries, 5)
  assert.equal(simulation.running().get('p0-0'), ['m0'])
  assert.equal(simulation.failures, [])
})

test('members with other units: what only a new version has is run by it, the rest is shared', async () => {
  const all = unitsOf(2, 6)
  const simulation = new Simulation(11, all)
  simulation.join({ units: all.slice(0, 6) })
  simulation.join({ units: all.slice(0, 6) })
  await simulation.clock.pass(2_000)
  simulation.join()
  await simulation.clock.pass(2_000)
  const running = simulation.running()
  for (const [unit, members] of running) assert.is(members.length, 1, unit)
  assert.ok(all.slice(6).every(({ id }) => running.get(id)?.[0] === 'm2'))
  const { length } = simulation.intervals
  await simulation.clock.pass(10_000)
  assert.is(simulation.intervals.length, length, 'and it stays so')
})

test.run()
