// Redriving on a real server: keys come back, whatever is killed in between.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readLast } from '../../../src/broker/last-message.ts'
import { publishOnce } from '../../../src/broker/publish-once.ts'
import {
  DEAD_LETTER_STREAM,
  deadLetterSubject,
  parkSubject,
  redriveSubject,
} from '../../../src/broker/system-subject.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { redriven } from '../../../src/kernel/parking/park-message.ts'
import { readUnitParking } from '../../../src/kernel/parking/parked-unit.ts'
import { readPark } from '../../../src/kernel/parking/read-park.ts'
import { processorId } from '../../../src/kernel/processor.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { publishAll, readAll } from '../../support/events.ts'
import { sharedServer } from '../../support/nats.ts'
import { inParks, numbersOf, redrive, startUnit, unitOf, untilParked } from './redriving.ts'
import { repair, tally, work, type Repairs } from './tally.ts'

const test = suite('redriving parked keys')

const code = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'nothing'
  } catch (error) {
    return isFault(error) ? error.code : String(error)
  }
}

test('PK1 PK2 a key is parked, redriven and back; its park is empty, and new events are handled directly', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const repairs: Repairs = { count: 0 }
  const processor = tally(stream, 'none', {}, repairs)
  const [{ run }, unit] = [await startUnit(processor), unitOf(processor)]
  await publishAll(connection, stream, [
    work('a', 1),
    work('a', 2, { hard: 1 }),
    work('b', 1),
    work('a', 3),
    work('a', 4),
  ])
  const entry = await untilParked(connection, unit, 'a', 3)
  assert.equal([await numbersOf(connection, stream, 'a'), await numbersOf(connection, stream, 'b')], [[1], [1]])
  assert.equal([entry.key, entry.redriven, entry.code], ['a', 0, 'TURN_FAILED'])
  const failed = await redrive(connection, unit, 'a')
  assert.equal([failed.kind, failed.redriven, failed.waiting], ['failed', 0, 3])
  const dead = failed.kind === 'failed' ? failed.sequence : 0
  assert.ok(await readLast(connection, DEAD_LETTER_STREAM, deadLetterSubject(stream.name, dead, 'pipeline-tally-none')))
  repairs.count = 1
  const progress: number[] = []
  const back = await redrive(connection, unit, 'a', { onProgress: ({ redriven }) => progress.push(redriven) })
  assert.equal(back, { kind: 'back', redriven: 3, passed: 0, waiting: 0 })
  assert.equal(progress, [1])
  await publishAll(connection, stream, [work('a', 5)])
  await eventually('the new one', async () => (await numbersOf(connection, stream, 'a')).length === 5)
  assert.equal(await numbersOf(connection, stream, 'a'), [1, 2, 3, 4, 5])
  assert.is(await inParks(connection, processor), 0)
  assert.is(await code(redrive(connection, unit, 'a')), 'PARKED_KEY_NOT_FOUND')
  await run.stop()
})

for (const memory of ['keyed', 'replay', 'snapshot'] as const)
  test(`PK1 PK2 PK4 memory ${memory}: processor and redrivers killed in the middle, two redrivers at a time: each event once and in order`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    const processor = tally(stream, memory)
    const unit = unitOf(processor)
    let running = await startUnit(processor)
    const count = 900
    const events = Array.from({ length: count }, (_, at) => work('a', at + 1, { hard: [0, 500].includes(at) ? 1 : 0 }))
    await publishAll(connection, stream, events.slice(0, 600))
    await untilParked(connection, unit, 'a', 600)
    await running.crash()
    running = await startUnit(processor)
    await publishAll(connection, stream, [repair(), ...events.slice(600)])
    let crashes = 0
    const killing = (async () => {
      while ((await readUnitParking(connection, unit))?.parked.length !== 0) {
        const parked = (await readUnitParking(connection, unit))?.parked[0]
        if (parked === undefined || parked.redriven < crashes * 150) continue
        await running.crash()
        crashes += 1
        running = await startUnit(processor)
      }
    })()
    for (let attempt = 0; ; attempt++) {
      const own = await connectTo((await sharedServer()).url)
      const kill = { after: 1 + (attempt % 3) }
      const dying = redrive(own, unit, 'a', { onProgress: () => (--kill.after === 0 ? void own.close() : undefined) })
      const other = redrive(connection, unit, 'a', { signal: AbortSignal.timeout(400 * (attempt + 1)) })
      const outcomes = await Promise.allSettled([dying, other])
      await own.close()
      if (outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value.kind === 'back')) break
      if ((await readUnitParking(connection, unit))?.parked.length === 0) break
      assert.ok(attempt < 20, JSON.stringify(outcomes))
    }
    await killing
    await eventually('all of them', async () => (await numbersOf(connection, stream, 'a')).length >= count)
    assert.equal(
      await numbersOf(connection, stream, 'a'),
      events.map((_, at) => at + 1),
    )
    assert.ok(crashes >= 2, `${crashes} crashes`)
    await running.run.stop()
  })

test('a key whose processor does not run says so; what was published is taken when it does', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = tally(stream, 'keyed')
  const [{ run }, unit] = [await startUnit(processor), unitOf(processor)]
  await publishAll(connection, stream, [work('a', 1, { hard: 1 })])
  await untilParked(connection, unit, 'a', 1)
  await run.stop()
  await publishAll(connection, stream, [repair()])
  assert.equal(await redrive(connection, unit, 'a', { patience: 200 }), {
    kind: 'not-taken',
    redriven: 0,
    passed: 0,
    waiting: 1,
  })
  const again = await startUnit(processor)
  await eventually('the key is back', async () => (await readUnitParking(connection, unit))?.parked.length === 0)
  assert.equal(await numbersOf(connection, stream, 'a'), [1])
  await again.run.stop()
})

test('a key that never rests ends a redrive after so many rounds; what was taken stays taken', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = tally(stream, 'keyed')
  const [{ run }, unit] = [await startUnit(processor), unitOf(processor)]
  await publishAll(connection, stream, [work('a', 1, { hard: 1 }), work('a', 2), repair()])
  await untilParked(connection, unit, 'a', 2)
  let number = 3
  const restless = { on: true }
  const publishing = (async () => {
    while (restless.on) await publishAll(connection, stream, [work('a', number++)])
  })()
  const outcome = await redrive(connection, unit, 'a', { rounds: 2 })
  restless.on = false
  await publishing
  if (outcome.kind !== 'back') {
    assert.is(outcome.kind, 'busy')
    assert.ok(outcome.redriven >= 2)
    assert.is((await redrive(connection, unit, 'a')).kind, 'back')
  }
  await eventually('all', async () => (await numbersOf(connection, stream, 'a')).length >= number - 1)
  assert.equal(
    await numbersOf(connection, stream, 'a'),
    Array.from({ length: number - 1 }, (_, at) => at + 1),
  )
  await run.stop()
})

test('what is gone from a park is not passed over unless that is asked for, and neither is what fails', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = tally(stream, 'keyed')
  const [{ run }, unit] = [await startUnit(processor), unitOf(processor)]
  await publishAll(connection, stream, [
    work('a', 1, { hard: 9 }),
    work('a', 2),
    work('a', 3),
    work('b', 1, { hard: 9 }),
    work('b', 2),
  ])
  await untilParked(connection, unit, 'a', 3)
  await untilParked(connection, unit, 'b', 2)
  const filter = parkSubject(stream.name, processorId(processor), 'all', 'a')
  await connection.manager.streams.purge(stream.name, { filter, keep: 1 })
  assert.is(await code(redrive(connection, unit, 'a')), 'PARKED_EVENTS_GONE')
  assert.equal(await redrive(connection, unit, 'a', { skip: true }), {
    kind: 'back',
    redriven: 1,
    passed: 2,
    waiting: 0,
  })
  assert.equal(await numbersOf(connection, stream, 'a'), [3])
  assert.is((await redrive(connection, unit, 'b')).kind, 'failed')
  assert.is((await redrive(connection, unit, 'b', { skip: true })).kind, 'back')
  assert.equal(await numbersOf(connection, stream, 'b'), [2])
  await run.stop()
})

test('what a killed redrive left in the park of a key that is back goes with the next start', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = tally(stream, 'keyed')
  const [{ run }, unit] = [await startUnit(processor), unitOf(processor)]
  await publishAll(connection, stream, [work('a', 1, { hard: 1 }), work('b', 1, { hard: 9 }), repair()])
  await untilParked(connection, unit, 'b', 1)
  const { messages } = await readPark(connection, systemClock, unit, 'a', { from: 1, most: 10 })
  for (const { message } of messages)
    await publishOnce(connection, redriven(redriveSubject(stream.name, processorId(processor), 'all'), message))
  await eventually('a is back', async () => (await readUnitParking(connection, unit))?.parked.length === 1)
  assert.is(await inParks(connection, processor), 2)
  await run.stop()
  const again = await startUnit(processor)
  assert.is(await inParks(connection, processor), 1, 'that of the key that is parked stays')
  const filter = parkSubject(stream.name, processorId(processor), 'all', 'a')
  await eventually('nothing is left', async () => (await readAll(connection, stream.name, [filter])).length === 0)
  await again.run.stop()
})

test.run()
