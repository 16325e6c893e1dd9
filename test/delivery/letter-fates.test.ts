// Many letters that are redriven at once: their fates are read together, and are those of each.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { readDeadLetter, type DeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { LetterRecords } from '../../src/delivery/letters/letter-records.ts'
import { RedriveLetters, type LetterOutcome } from '../../src/delivery/letters/redrive-letters.ts'
import { deadLetter, permanent } from '../../src/delivery/recovery.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { workInOrder } from './ordered/running-ordered.ts'
import { ask, Asked, place, registry, work, type Place } from './running-handlers.ts'

const test = suite('fates of many letters')
const connection = await sharedConnection()
const MANY = 70

async function lettersOf({ stream }: Place): Promise<DeadLetter[]> {
  const filter = `millrace.dead.${stream.name}.>`
  return (await readAll(connection, 'DEAD_LETTERS', [filter])).map(readDeadLetter)
}

for (const ordered of [false, true])
  test(`LT3 LT4 LT5 of many letters some are handled and some are letters again (${ordered ? 'ordered' : 'shared'})`, async () => {
    const at = await place(connection)
    const seen: number[] = []
    const declaration = defineHandler({
      name: 'half-mended',
      on: { stream: at.stream.name, events: [Asked] },
      ...(ordered ? { order: 'key' as const } : {}),
      recovery: deadLetter(),
      handle: ({ data: { n } }, { generation }) => {
        if (generation === 0) throw permanent('not yet')
        seen.push(n)
        if (n % 3 === 0) throw permanent('never')
      },
    })
    const running = ordered ? await workInOrder(connection, at, declaration) : undefined
    if (!ordered) await work(connection, at, declaration)
    await ask(connection, at, MANY)
    await eventually('they are dead', async () => (await lettersOf(at)).length === MANY || undefined)
    const found = (await lettersOf(at)).toSorted((one, other) => one.sequence - other.sequence)
    const records = new LetterRecords(connection, systemClock)
    await records.prepare(1)
    const outcomes: LetterOutcome[] = []
    const redrive = new RedriveLetters({
      connection,
      clock: systemClock,
      signal: new AbortController().signal,
      records,
      registry,
      places: {
        processors: running === undefined ? [] : [running.processor],
        handlers: running === undefined ? ['half-mended'] : [],
        streams: [at.stream],
      },
      wait: true,
      load: (number) => Promise.resolve(found.find((one) => one.number === number)),
      onEnd: (outcome) => outcomes.push(outcome),
    })
    const keys = [...new Set(found.map(({ key }) => key))]
    await redrive.run(keys.map((key) => found.filter((one) => one.key === key).map(({ number }) => number)))
    const byNumber = new Map((await lettersOf(at)).map((letter) => [letter.number, letter]))
    assert.is(byNumber.size, MANY + Math.ceil(MANY / 3))
    assert.is(outcomes.length, MANY)
    for (const outcome of outcomes) {
      const letter = byNumber.get(outcome.number)
      const { n } = JSON.parse(Buffer.from(letter?.data ?? []).toString()) as { n: number }
      assert.is(outcome.kind, n % 3 === 0 ? 'again' : 'handled', `${n}`)
      assert.is((await records.read(outcome.number)).state, outcome.kind)
      if (outcome.kind === 'again') assert.is(byNumber.get(outcome.next)?.id, letter?.id)
    }
    assert.is(seen.length, MANY)
    for (let key = 0; key < 7; key++) {
      const own = seen.filter((n) => n % 7 === key)
      assert.equal(
        own,
        own.toSorted((one, other) => one - other),
      )
    }
  })

test.run()
