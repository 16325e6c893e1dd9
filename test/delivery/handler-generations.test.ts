// Generations of one event: what was redriven, beside what a process that was frozen still has of it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { subjectsIn } from '../../src/broker/subjects-in.ts'
import { dueFilter } from '../../src/broker/work-stream.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { readDeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { LetterRecords } from '../../src/delivery/letters/letter-records.ts'
import { RedriveLetters, type LetterOutcome } from '../../src/delivery/letters/redrive-letters.ts'
import { openPublished } from '../../src/delivery/open-message.ts'
import { putOff } from '../../src/delivery/put-off.ts'
import { permanent } from '../../src/delivery/recovery.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { ask, Asked, letters, place, registry, work } from './running-handlers.ts'

const test = suite('generations of an event of a handler')

test('LT3 LT5 a process that wakes up and puts off what is a dead letter takes nothing away from its redrive', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: number[] = []
  const declaration = defineHandler({
    name: 'woken',
    on: { stream: at.stream.name, events: [Asked] },
    handle: (_, { generation }) => {
      seen.push(generation)
      if (generation === 0) throw permanent('never')
    },
  })
  const first = await work(connection, at, declaration)
  await ask(connection, at, 1)
  await eventually('it is a dead letter', async () => (await letters(connection, at)).length === 1 || undefined)
  await first.run.stop()

  const [letter] = (await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${at.stream.name}.>`])).map(
    readDeadLetter,
  )
  assert.ok(letter)
  const records = new LetterRecords(connection, systemClock)
  await records.prepare(1)
  const outcomes: LetterOutcome[] = []
  const redrive = (wait: boolean): Promise<void> =>
    new RedriveLetters({
      connection,
      clock: systemClock,
      signal: new AbortController().signal,
      records,
      registry,
      places: { processors: [], handlers: ['woken'], streams: [at.stream] },
      wait,
      load: () => Promise.resolve(letter),
      onEnd: (outcome) => outcomes.push(outcome),
    }).run([[letter.number]])
  await redrive(false)

  const [message] = await readAll(connection, at.stream.name, [`${at.stream.root}.>`])
  assert.ok(message)
  const held = { message, source: 0, deliveries: 1, reply: '', renewedAt: 0, open: 0, left: false }
  const { items } = openPublished({ declaration, registry, stream: at.stream.name, now: 0 }, held)
  assert.ok(items[0])
  const record = { attempt: 7, attempts: [], generation: 0 }
  await publishOnce(connection, putOff(at.work.name, 'woken', items[0], record, systemClock.now()))
  await eventually(
    'it is due too',
    async () =>
      (await subjectsIn(connection, at.work.name, dueFilter(at.work.name, 'woken'))).length === 2 || undefined,
  )

  const { failures } = await work(connection, at, declaration)
  await redrive(true)
  assert.equal(
    outcomes.map(({ kind }) => kind),
    ['sent', 'handled'],
  )
  await eventually('both are done', () => seen.length === 3 || undefined)
  assert.equal(seen.toSorted(), [0, 0, 1])
  assert.is((await letters(connection, at)).length, 1)
  assert.equal(failures, [])
})

test.run()
