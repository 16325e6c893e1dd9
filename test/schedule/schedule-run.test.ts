import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { DAY, Due, HOUR, MINUTE, MONDAY, schedule, SECOND, World } from './world.ts'

const test = suite('run of a schedule')

test('SC1 SC2 two that run one schedule against each other store each nominal time once', async () => {
  const world = new World()
  const declaration = schedule({ every: '1s', missed: { all: { most: 1_000 } } })
  const former = await world.run(declaration)
  await world.clock.pass(5 * SECOND)
  const next = await world.run(declaration)
  const ended = former.ended.then(
    () => undefined,
    (error: unknown) => error,
  )
  await world.clock.pass(60 * SECOND)
  assert.ok(isFault(await ended, 'PROCESSOR_FENCED'))
  await next.stop()
  assert.is(world.stored.length, 65)
  assert.is(new Set(world.stored).size, 65)
})

test('SC1 SC2 whatever is lost on the way and whoever is killed: every nominal time once, in order', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          ms: fc.integer({ min: 0, max: 40_000 }),
          away: fc.integer({ min: 0, max: 20_000 }),
          kill: fc.boolean(),
          faults: fc.array(fc.constantFrom('lost', 'unheard', 'refused'), { maxLength: 3 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      async (processes) => {
        const world = new World()
        const declaration = schedule({ every: '1s', missed: { all: { most: 1_000 } } })
        for (const { ms, away, kill, faults } of processes) {
          world.faults.length = 0 // a start would wait for a clock that nobody moves
          const run = await world.run(declaration)
          world.faults.push(...faults)
          await world.clock.pass(ms)
          // one that is not told to stop goes on as a zombie
          if (kill) run.ended.catch(() => undefined)
          else await Promise.all([run.stop(), world.clock.pass(30_000)])
          await world.clock.pass(away)
        }
        world.faults.length = 0
        const last = await world.run(declaration)
        await world.clock.pass(2 * SECOND)
        const until = world.clock.now()
        await last.stop()
        const times = world.stored.map((at) => Date.parse(at))
        assert.equal(
          times,
          Array.from({ length: Math.floor((until - MONDAY) / SECOND) }, (_, at) => MONDAY + (at + 1) * SECOND),
        )
      },
    ),
    { numRuns: 60 },
  ))

test('SC4 a tick whose events cannot be made is a dead letter with its stack, and the next one is run', async () => {
  const world = new World()
  const declaration = schedule({
    every: '1m',
    emits: ({ time, missed }) => {
      const at = (Date.parse(time) - MONDAY) / MINUTE
      if (at === 2) throw new Error('no data for minute two')
      if (at === 3) return { type: 'other' } as never
      if (at === 4) return undefined
      return [Due({ at: time, missed }), Due({ at: time, missed })]
    },
  })
  const run = await world.run(declaration)
  await world.clock.pass(5 * MINUTE)
  await run.stop()
  assert.equal(
    world.stored,
    ['01', '01', '05', '05'].map((minute) => `2026-03-02T00:${minute}:00Z`),
  )
  const codes = [...world.letters.values()].map(
    ({ headers }) => headers.find(([name]) => name === 'Millrace-Dead-Code')?.[1],
  )
  assert.equal(codes, ['SCHEDULE_EMITS_FAILED', 'SCHEDULE_EMITS_INVALID'])
  assert.is(run.status.record.letters, 2)
  assert.is(run.status.record.ticks, 3)
})

test('SC1 events have ids of schedule, nominal time and place, and the nominal time', async () => {
  const world = new World()
  await world.runFor(
    MINUTE,
    schedule({ every: '1m', emits: ({ time, missed }) => [Due({ at: time, missed }), Due({ at: time, missed })] }),
  )
  const of = (name: string): (string | undefined)[] =>
    world.events.map(({ headers }) => headers.find(([own]) => own === name)?.[1])
  assert.equal(of('ce-id'), ['reports-2026-03-02T00:01:00.000Z-0', 'reports-2026-03-02T00:01:00.000Z-1'])
  assert.equal(of('ce-source'), ['/schedules/reports', '/schedules/reports'])
  assert.equal(of('ce-time'), ['2026-03-02T00:01:00.000Z', '2026-03-02T00:01:00.000Z'])
})

test('SC1 with other times the next tick is by those, none is doubled, and none is made up for that was never promised', async () => {
  const world = new World()
  await world.runFor(2 * DAY, schedule({ cron: '0 9 * * *' }))
  await world.clock.pass(10 * HOUR) // 10:00, and 09:00 was missed
  await world.runFor(4 * HOUR, schedule({ cron: '0 */2 * * *', missed: { all: { most: 100 } } }))
  assert.equal(world.stored, [
    '2026-03-02T09:00:00Z',
    '2026-03-03T09:00:00Z',
    '2026-03-04T12:00:00Z',
    '2026-03-04T14:00:00Z',
  ])
  await world.runFor(DAY, schedule({ cron: '0 9 * * *' }))
  assert.is(world.stored.at(-1), '2026-03-05T09:00:00Z')
})

test('SC1 SC3 a single time is run once, also when it was before the first start; with skip it is left out', async () => {
  const world = new World()
  const at = '2026-03-01T12:00:00Z'
  await world.runFor(MINUTE, schedule({ at }))
  await world.runFor(MINUTE, schedule({ at }))
  await world.runFor(MINUTE, schedule({ name: 'other', at, missed: 'skip' }))
  assert.equal(world.stored, [at])
  await world.runFor(HOUR, schedule({ at: '2026-03-02T00:30:00Z' }))
  await world.runFor(HOUR, schedule({ at: '2026-03-02T00:30:00Z' }))
  assert.equal(world.stored, [at, '2026-03-02T00:30:00Z'])
})

test('SC1 a single time that has not come holds up no other times that take its place', async () => {
  const world = new World()
  await world.runFor(MINUTE, schedule({ at: '2026-12-31T00:00:00Z' }))
  await world.runFor(HOUR, schedule({ every: '30m' }))
  assert.equal(world.stored, ['2026-03-02T00:30:00Z', '2026-03-02T01:00:00Z'])
  world.skew = -HOUR // what was run before the single time is not run again behind it
  await world.runFor(MINUTE, schedule({ at: '2026-12-31T00:00:00Z' }))
  await world.runFor(HOUR, schedule({ every: '30m' }))
  assert.is(world.stored.length, 2)
})

test('SC1 times that were changed and changed back are not run twice, singly or by an interval', async () => {
  const world = new World()
  const [first, second] = ['2026-03-02T00:01:00Z', '2026-03-02T02:01:00Z']
  for (const at of [first, second, first, second]) await world.runFor(3 * HOUR, schedule({ at }))
  assert.equal(world.stored, [first, second])
  const other = new World()
  await other.runFor(2 * HOUR, schedule({ every: '1h' }))
  await other.runFor(HOUR, schedule({ at: '2026-03-02T01:00:00Z' }))
  assert.equal(other.stored, ['2026-03-02T01:00:00Z', '2026-03-02T02:00:00Z'])
})

test('SC5 SC3 the server’s clock jumps forward, and back: what was jumped over follows the policy, nothing is run twice', async () => {
  const world = new World()
  const run = await world.run(schedule({ every: '1m', missed: 'once' }))
  await world.clock.pass(2 * MINUTE)
  world.skew = HOUR
  await world.clock.pass(11 * SECOND)
  assert.equal(world.stored.slice(-2), ['2026-03-02T00:02:00Z', '2026-03-02T01:02:00Z'])
  world.skew = 0
  await world.clock.pass(HOUR)
  assert.is(world.stored.length, 3, 'it waits until time has come to where it was')
  await world.clock.pass(MINUTE)
  assert.is(world.stored.at(-1), '2026-03-02T01:03:00Z')
  await run.stop()
  assert.is(new Set(world.stored).size, world.stored.length)
})

test('SC5 clocks of processes may be anything: only that of the server counts', async () => {
  const world = new World()
  world.skew = -3 * DAY // seen from the server, this process is three days ahead
  await world.runFor(10 * MINUTE, schedule({ every: '1m' }))
  assert.is(world.stored.at(-1), '2026-02-27T00:10:00Z')
  assert.is(world.stored.length, 10)
})

test.run()
