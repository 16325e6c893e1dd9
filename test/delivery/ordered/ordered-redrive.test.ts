// What comes back of dead letters and parks to handlers with `order: 'key'`, and fails again.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { readDeadLetter } from '../../../src/delivery/letters/dead-letter.ts'
import { LetterRecords } from '../../../src/delivery/letters/letter-records.ts'
import { RedriveLetters, type LetterOutcome } from '../../../src/delivery/letters/redrive-letters.ts'
import { park, permanent, retry } from '../../../src/delivery/recovery.ts'
import { partitionOfKey } from '../../../src/event/partition.ts'
import { parkedUnit, readUnitParking } from '../../../src/kernel/parking/parked-unit.ts'
import { redriveKey } from '../../../src/kernel/parking/redrive-key.ts'
import type { Processor } from '../../../src/kernel/processor.ts'
import type { Clock } from '../../../src/time/clock.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import type { Connection } from '../../../src/broker/connection.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { readAll } from '../../support/events.ts'
import { ask, Asked, letters, place, registry, type Place } from '../running-handlers.ts'
import { workInOrder } from './running-ordered.ts'

const test = suite('redrives of ordered handlers')

async function redriveAll(connection: Connection, at: Place, processor: Processor): Promise<LetterOutcome[]> {
  const filter = `millrace.dead.${at.stream.name}.>`
  const found = (await readAll(connection, 'DEAD_LETTERS', [filter])).map(readDeadLetter)
  const records = new LetterRecords(connection, systemClock)
  await records.prepare(1)
  const outcomes: LetterOutcome[] = []
  const redrive = new RedriveLetters({
    connection,
    clock: systemClock,
    signal: new AbortController().signal,
    records,
    registry,
    places: { processors: [processor], handlers: [], streams: [at.stream] },
    wait: true,
    load: (number) => Promise.resolve(found.find((one) => one.number === number)),
    onEnd: (outcome) => outcomes.push(outcome),
  })
  await redrive.run(found.map(({ number }) => [number]))
  return outcomes
}

test('LT3 LT5 an event that was redriven knows its generation, and has its fate before it counts as redriven', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: string[] = []
  const declaration = defineHandler({
    name: 'healing',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: retry({ attempts: 2, immediate: 1 }),
    handle: ({ data: { n } }, { attempt, generation }) => {
      seen.push(`${n}:${generation}:${attempt}`)
      if (n < 10 && generation === 0) throw new Error('not yet')
    },
  })
  await ask(connection, at, 40)
  const { processor } = await workInOrder(connection, at, declaration)
  await eventually('all', () => seen.length === 50 || undefined)
  await eventually('letters', async () => (await letters(connection, at)).length === 10 || undefined)
  const outcomes = await redriveAll(connection, at, processor)
  assert.is(outcomes.length, 10)
  assert.equal(
    outcomes.map(({ kind }) => kind),
    outcomes.map(() => 'handled'),
    JSON.stringify(outcomes),
  )
  assert.equal(seen.filter((one) => one.split(':')[1] === '1').length, 10)
})

test('DL9 23 what fails again while the rest of its key comes back is still the first, and nothing overtakes it', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const handled: number[] = []
  let ill = true
  const declaration = defineHandler({
    name: 'relapse',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: retry({ attempts: 1, last: park() }),
    handle: ({ data: { n } }) => {
      if (n === 1 && ill) throw permanent('not today')
      handled.push(n)
    },
  })
  await ask(connection, at, 7 * 5)
  const { processor, failures } = await workInOrder(connection, at, declaration)
  const unit = parkedUnit(processor, String(partitionOfKey('k1', 4)))
  const entryOf = async () => (await readUnitParking(connection, unit))?.parked.find(({ key }) => key === 'k1')
  await eventually('it is parked', entryOf)
  await ask(connection, at, 7 * 55, { from: 35 })
  await eventually('its events are kept', async () => ((await entryOf())?.diverted ?? 0) > 50 || undefined)
  // slow enough that the first one has failed again before the others are sent
  const slow: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms + 400, signal) }
  for (const clock of [slow, systemClock]) {
    await redriveKey(connection, unit, 'k1', { clock })
    await eventually('it is parked again', entryOf)
  }
  const ofKey = (): number[] => handled.filter((n) => n % 7 === 1)
  assert.equal(ofKey(), [])
  ill = false
  await eventually('it is back', async () => {
    await redriveKey(connection, unit, 'k1', { clock: systemClock }).catch(() => undefined)
    return ofKey().length >= 60 || undefined
  })
  assert.equal(
    ofKey(),
    Array.from({ length: 60 }, (_, at) => 1 + 7 * at),
  )
  assert.equal(failures, [])
})

test('DL9 23 --skip leaves out what failed again, though it is kept behind others, and none of those', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: string[] = []
  const declaration = defineHandler({
    name: 'given-up',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: park(),
    handle: ({ data: { n } }, { generation }) => {
      if (n % 7 === 1) seen.push(`${n} g${generation}`)
      if (n === 1) throw permanent('never')
    },
  })
  await ask(connection, at, 7 * 4)
  const { processor, failures } = await workInOrder(connection, at, declaration)
  const unit = parkedUnit(processor, String(partitionOfKey('k1', 4)))
  const entryOf = async () => (await readUnitParking(connection, unit))?.parked.find(({ key }) => key === 'k1')
  await eventually('it is parked', entryOf)
  await ask(connection, at, 7 * 6, { from: 28 })
  await eventually('its events are kept', async () => ((await entryOf())?.diverted ?? 0) >= 7 || undefined)
  // somebody ends the redrive when the first one is back, and it fails again
  const ending = new AbortController()
  const options = { clock: systemClock, signal: ending.signal, onProgress: () => ending.abort() }
  await redriveKey(connection, unit, 'k1', options).catch(() => undefined)
  // how many are kept before it depends on how many were read before it was parked
  await eventually('it has failed again', async () => ((await entryOf())?.culprit ?? 0) >= 7 || undefined)
  assert.is((await entryOf())?.redriven, 1)
  const outcome = await redriveKey(connection, unit, 'k1', { clock: systemClock, skip: true })
  assert.is(outcome.kind, 'back')
  assert.is(outcome.passed, 1)
  await eventually('the rest', () => seen.length >= 11 || undefined)
  // what failed and came back knows it; what only waited behind it was never a dead letter
  assert.equal(seen, ['1 g0', '1 g1', ...Array.from({ length: 9 }, (_, n) => `${8 + 7 * n} g0`)])
  assert.equal(failures, [])
})

test('LT5 what became of a letter of a parked key is what became of its own event, once that is handled', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const handled: number[] = []
  const declaration = defineHandler({
    name: 'mixed',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: retry({ attempts: 1, last: park() }),
    handle: async ({ data: { n } }, { generation }) => {
      if (n === 1 && generation === 0) throw permanent('not yet')
      if (n === 8) throw permanent('never')
      if (n === 1) await systemClock.sleep(300)
      handled.push(n)
    },
  })
  await ask(connection, at, 7 * 3)
  const { processor } = await workInOrder(connection, at, declaration)
  const unit = parkedUnit(processor, String(partitionOfKey('k1', 4)))
  await eventually('it is parked', async () => {
    const { parked = [] } = (await readUnitParking(connection, unit)) ?? {}
    return parked.some(({ key }) => key === 'k1') || undefined
  })
  const [first] = await redriveAll(connection, at, processor)
  assert.is(first?.kind, 'handled')
  assert.equal(
    handled.filter((n) => n % 7 === 1),
    [1],
    'it was handled before that was said',
  )
  const fates = await eventually('the next one is a letter', async () => {
    const outcomes = await redriveAll(connection, at, processor)
    return outcomes.length > 1 ? outcomes : undefined
  })
  assert.equal(
    fates.map(({ kind }) => kind),
    ['closed', 'again'],
    JSON.stringify(fates),
  )
  assert.equal(
    handled.filter((n) => n % 7 === 1),
    [1],
  )
})

test.run()
