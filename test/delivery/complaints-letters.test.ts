// PEERS C: dead letters that cannot be looked at, and redrives that are none. Each is put to what is usually done, too.
import { AckPolicy, jetstream, RetentionPolicy } from '@nats-io/jetstream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { readDeadLetter, type DeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { LetterRecords } from '../../src/delivery/letters/letter-records.ts'
import { RedriveLetters, type LetterOutcome } from '../../src/delivery/letters/redrive-letters.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { ours } from './complaining.ts'
import { ask, place, registry, type Place } from './running-handlers.ts'

const test = suite('complaints about dead letters')
const connection = await sharedConnection()

async function lettersOf({ stream }: Place): Promise<DeadLetter[]> {
  return (await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${stream.name}.>`])).map(readDeadLetter)
}

const dead = (at: Place, many: number): Promise<DeadLetter[]> =>
  eventually('they are dead', async () => {
    const all = await lettersOf(at)
    return all.length >= many ? all : undefined
  })

/** Ours keeps what is asked for, and the others do not: else the check would say nothing. */
async function contrasted<Way>(
  check: (way: Way) => Promise<void>,
  own: Way,
  naive: Record<string, Way>,
): Promise<void> {
  await check(own)
  for (const [name, way] of Object.entries(naive)) {
    const failed = await check(way).then(
      () => false,
      () => true,
    )
    assert.ok(failed, `${name} passes as well`)
  }
}

/** Keeps three messages that nobody could handle. @returns reads them all, as often as it is called */
type Shelf = () => Promise<() => Promise<number>>

test('23 dead letters can be read again and again, by anybody', () =>
  contrasted<Shelf>(
    async (shelf) => {
      const browse = await shelf()
      assert.equal(await Promise.all([browse(), browse()]), [3, 3], 'two at a time')
      assert.is(await browse(), 3, 'and once more')
    },
    async () => {
      const at = await place(connection)
      const fail = (): never => {
        throw new Error('no luck at all')
      }
      const { stop } = await ours(connection, at, { handle: fail, attempts: 1 })
      await ask(connection, at, 3)
      await dead(at, 3)
      await stop()
      return async () => (await lettersOf(at)).length
    },
    {
      'a queue of letters that a consumer works off': () => queueOfLetters(false),
      'a queue of letters that is read by taking them out': () => queueOfLetters(true),
    },
  ))

/** The retention that a queue of dead letters is often given: what is read by one is not there for another. */
async function queueOfLetters(taking: boolean): Promise<() => Promise<number>> {
  const { manager, nats } = connection
  const name = `NAIVE${process.pid}${Number(taking)}`
  await manager.streams.add({ name, subjects: [`${name}.>`], retention: RetentionPolicy.Workqueue })
  await manager.consumers.add(name, { durable_name: 'worker', ack_policy: AckPolicy.Explicit })
  for (const n of [0, 1, 2])
    await publishOnce(connection, { subject: `${name}.${n}`, headers: [], data: Buffer.from('{}') })
  if (!taking) return async () => (await readAll(connection, name)).length
  const worker = await jetstream(nats).consumers.get(name, 'worker')
  return async () => {
    let count = 0
    for await (const message of await worker.fetch({ max_messages: 3, expires: 1_000 })) {
      await message.ackAck()
      count += 1
    }
    return count
  }
}

/** Sends the event of a letter back. @returns what it is counted as */
type Redrive = (at: Place, letter: DeadLetter) => Promise<LetterOutcome['kind']>

const redriven: Redrive = async (at, letter) => {
  const records = new LetterRecords(connection, systemClock)
  await records.prepare(1)
  let kind: LetterOutcome['kind'] | undefined
  const redrive = new RedriveLetters({
    connection,
    clock: systemClock,
    signal: new AbortController().signal,
    records,
    registry,
    places: { processors: [], handlers: ['spec'], streams: [at.stream] },
    wait: true,
    load: async () => letter,
    onEnd: (outcome) => (kind = outcome.kind),
  })
  await redrive.run([[letter.number]])
  assert.ok(kind)
  return kind
}

/** Back to its stream, and counted as redriven. @param again whether it has an id that the stream does not know yet */
const published =
  (again: boolean): Redrive =>
  async ({ stream }, { sequence, data }) => {
    const [original] = await readAll(connection, stream.name).then((all) =>
      all.filter((one) => one.sequence === sequence),
    )
    assert.ok(original)
    const headers = [...original.headers.entries()].filter(([name]) => !again || name !== 'Nats-Msg-Id')
    await publishOnce(connection, { subject: original.subject.replace(/\.\d+\./, '.k0.'), headers, data })
    return 'handled'
  }

test('24 what is redriven counts when it is handled, and as a dead letter of its own when it fails again', () =>
  contrasted<Redrive>(
    async (redrive) => {
      const at = await place(connection)
      let mended = false
      const handled: number[] = []
      const handle = (n: number): void => {
        if (!mended) throw new Error('no luck at all')
        handled.push(n)
      }
      const { stop } = await ours(connection, at, { handle, attempts: 1 })
      try {
        await ask(connection, at, 2)
        const [first, second] = await dead(at, 2)
        assert.ok(first && second)
        assert.is(await redrive(at, first), 'again', 'it failed again')
        const [, , third] = await dead(at, 3)
        assert.is(third?.generation, 1)
        mended = true
        assert.is(await redrive(at, second), 'handled')
        assert.is(handled.length, 1, 'it is handled by then')
        assert.is(third && (await redrive(at, third)), 'handled')
        assert.equal(handled.toSorted(), [0, 1])
      } finally {
        await stop()
      }
    },
    redriven,
    {
      'publishing it as it was, which its stream takes for the first one': published(false),
      'publishing it anew, and not looking what becomes of it': published(true),
    },
  ))

test.run()
