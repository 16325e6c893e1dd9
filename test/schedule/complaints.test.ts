// Complaints of users of other systems about reminders. Each is put to an implementation that has the fault, too.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ScheduleDeclaration } from '../../src/schedule/schedule-options.ts'
import { runNaive, type Mistake, type NaiveState } from './naive.ts'
import { DAY, HOUR, MINUTE, MONDAY, schedule, SECOND, World } from './world.ts'

const test = suite('complaints about schedules')

/** Who runs a schedule, a process after the other: each runs for so long, and ends. */
interface Runner {
  readonly world: World
  process(ms: number, declaration: ScheduleDeclaration): Promise<void>
  /** A process that runs several. */
  together(ms: number, declarations: readonly ScheduleDeclaration[]): Promise<void>
}

function ours(): Runner {
  const world = new World()
  const together = async (ms: number, declarations: readonly ScheduleDeclaration[]): Promise<void> => {
    const runs = await Promise.all(declarations.map((declaration) => world.run(declaration)))
    await world.clock.pass(ms)
    await Promise.all(runs.map((run) => run.stop()))
  }
  return { world, together, process: (ms, declaration) => together(ms, [declaration]) }
}

function naive(mistake: Mistake): Runner {
  const world = new World()
  const state: NaiveState = { position: undefined, version: 0 }
  const together = async (ms: number, declarations: readonly ScheduleDeclaration[]): Promise<void> => {
    const stops = declarations.map((declaration) => runNaive(world, declaration, mistake, state))
    await world.clock.pass(ms)
    for (const stop of stops) stop()
  }
  return { world, together, process: (ms, declaration) => together(ms, [declaration]) }
}

/** What is asked of ours, and has to fail with the mistake. */
async function holds(check: (runner: Runner) => Promise<void>, mistake: Mistake): Promise<void> {
  await check(ours())
  let passed = true
  try {
    await check(naive(mistake))
  } catch {
    passed = false
  }
  assert.not.ok(passed, `an implementation that ${mistake} passes as well`)
}

test('SC3 36 a tick that was due while nobody ran is run when somebody does, once', () =>
  holds(async ({ world, process }) => {
    const declaration = schedule({ cron: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin', missed: 'once' })
    await process(7 * HOUR, declaration) // until 07:00 UTC; due at 08:00
    await world.clock.pass(3 * HOUR)
    await process(HOUR, declaration)
    await process(DAY, declaration)
    assert.equal(world.stored, ['2026-03-02T08:00:00Z', '2026-03-03T08:00:00Z'])
  }, 'forgets'))

test('SC3 37 after hours in which nobody ran no flood follows: one tick, or as many as is said', async () => {
  for (const [missed, most] of [
    ['once', 1],
    ['skip', 1],
    [{ all: { most: 5 } }, 5],
  ] as const)
    await holds(async ({ world, process }) => {
      const declaration = schedule({ every: '1s', missed })
      await process(10 * SECOND, declaration)
      await world.clock.pass(3 * HOUR)
      const before = world.stored.length
      await process(SECOND / 2, declaration)
      assert.is(world.stored.length - before, most)
      assert.is(world.stored.at(-1), '2026-03-02T03:00:10Z', 'the latest ones')
    }, 'floods')
})

test('SC1 38 it goes on after each restart and each change of hands, as often as there are', () =>
  holds(async ({ world, process }) => {
    const declaration = schedule({ every: '1m', missed: { all: { most: 10 } } })
    for (let round = 0; round < 20; round += 1) await process(10 * MINUTE, declaration)
    assert.is(world.stored.length, 200)
    assert.is(new Set(world.stored).size, 200)
  }, 'fires once'))

test('SC1 SC2 a process that ends between the event and the word of it makes no second one', () =>
  holds(async ({ world, process }) => {
    const declaration = schedule({ every: '1s', missed: 'once' })
    for (let round = 0; round < 10; round += 1) await process(1_300, declaration)
    assert.is(new Set(world.stored).size, world.stored.length)
  }, 'says it later'))

test('SC1 39 fifty schedules in one stream do not stand in each other’s way, and what is not stored is stored again', () =>
  holds(async ({ world, together }) => {
    const names = Array.from({ length: 50 }, (_, at) => `s${at}`)
    const declarations = names.map((name) => schedule({ name, every: '1m' }))
    world.faults.push(...Array.from({ length: 50 }, () => undefined)) // they start
    world.faults.push('lost', 'unheard', 'refused', 'unheard', 'lost', 'lost', 'refused')
    await together(5 * MINUTE + 30 * SECOND, declarations)
    const counts = new Map<string, number>()
    for (const at of world.stored) counts.set(at, (counts.get(at) ?? 0) + 1)
    assert.equal([...counts.values()], [50, 50, 50, 50, 50])
  }, 'has one record'))

test('SC3 skip leaves out what was missed, and not a tick that is a few seconds late', async () => {
  const world = new World()
  const declaration = schedule({ cron: '0 9 * * *', missed: 'skip' })
  await world.runFor(8 * HOUR, declaration)
  await world.clock.pass(HOUR + 4 * SECOND) // a takeover takes seconds
  await world.runFor(HOUR, declaration)
  assert.equal(world.stored, ['2026-03-02T09:00:00Z'])
  await world.clock.pass(2 * DAY)
  const run = await world.run(declaration)
  await world.clock.pass(DAY)
  await run.stop()
  assert.equal(world.stored, ['2026-03-02T09:00:00Z', '2026-03-05T09:00:00Z'])
  assert.is(run.status.record.missed, 2)
})

test('SC3 all has each of them in order, also when the process ends in the middle of it', async () => {
  const world = new World()
  const declaration = schedule({ every: '1m', missed: { all: { most: 100 } } })
  await world.runFor(30 * SECOND, declaration)
  await world.clock.pass(HOUR)
  const run = await world.run(declaration)
  await world.clock.pass(0)
  await run.stop()
  await world.runFor(30 * SECOND, declaration)
  assert.is(world.stored.length, 61)
  assert.equal(world.stored, [...new Set(world.stored)].sort())
})

test('SC3 a tick tells how many were passed over before it', async () => {
  const world = new World(MONDAY)
  const declaration = schedule({ every: '1h', missed: 'once' })
  await world.runFor(MINUTE, declaration)
  await world.clock.pass(10 * HOUR)
  await world.runFor(HOUR, declaration)
  const missed = world.events.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { missed: number }).missed)
  assert.equal(missed, [9, 0])
})

test.run()
