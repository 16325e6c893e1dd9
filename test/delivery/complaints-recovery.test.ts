// PEERS C: retries, dead letters, poison. The number of each complaint is in the name of its test.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { holds, ours } from './complaining.ts'
import { naive, type Implementation, type Spec } from './naive/naive-loop.ts'
import { ask, consumerOf, letters, place, type Place } from './running-handlers.ts'

const test = suite('complaints about recovery')

const fail = (): never => {
  throw new Error('no luck at all')
}

/** Runs until `until` holds, in a place of its own. */
async function running<T>(
  by: Implementation,
  spec: Spec,
  many: number,
  until: (connection: Connection, at: Place) => Promise<T | undefined>,
  limitMs = by === ours ? 30_000 : 2_500,
): Promise<T> {
  const connection = await sharedConnection()
  const at = await place(connection)
  await ask(connection, at, many)
  const { stop } = await by(connection, at, spec)
  return eventually('as asked', () => until(connection, at), limitMs).finally(stop)
}

const haveLetters =
  (many: number) =>
  async (connection: Connection, at: Place): Promise<Awaited<ReturnType<typeof letters>> | undefined> => {
    const all = await letters(connection, at)
    return all.length >= many ? all : undefined
  }

test('DL2 17 what is given up is kept with its payload, whatever becomes of the stream', async () => {
  await holds(
    async (by) => {
      const all = await running(by, { handle: fail }, 3, async (connection, at) => {
        const found = await haveLetters(3)(connection, at)
        if (found !== undefined) await connection.manager.streams.purge(at.stream.name)
        return found
      })
      assert.equal(all.map(({ data }) => JSON.parse(Buffer.from(data).toString()).n).toSorted(), [0, 1, 2])
    },
    naive({ onError: 'nak' }),
  )
})

test('18 what is given up is done: nothing stays behind it', async () => {
  await holds(
    async (by) => {
      await running(by, { handle: fail, attempts: 2 }, 5, async (connection, at) => {
        const { ack_floor, num_ack_pending, num_redelivered } = await consumerOf(
          connection,
          at.stream.name,
          'handler-spec',
        )
        return (ack_floor.stream_seq >= 5 && num_ack_pending + num_redelivered === 0) || undefined
      })
    },
    naive({ onError: 'nak' }),
  )
})

test('19 dead letters are armed: each event that fails for good is one, with every attempt made', async () => {
  await holds(
    async (by) => {
      const runs = new Map<number, number>()
      const handle = (n: number): never => {
        runs.set(n, (runs.get(n) ?? 0) + 1)
        return fail()
      }
      await running(by, { handle, attempts: 3, ackWait: 20_000 }, 20, haveLetters(20))
      assert.ok([...runs.values()].every((times) => times === 3))
    },
    naive({ onError: 'dead-letter-after-the-last' }),
  )
})

test('20 attempts are not burnt at once: there is the delay between them', async () => {
  await holds(
    async (by) => {
      const times: number[] = []
      const handle = (): never => {
        times.push(performance.now())
        return fail()
      }
      await running(
        by,
        { handle, attempts: 4, delay: 200, ackWait: 20_000 },
        1,
        async () => times.length >= 4 || undefined,
      )
      assert.ok((times[3] ?? 0) - (times[0] ?? 0) >= 590)
    },
    naive({ onError: 'nak' }),
  )
})

test('21 the delay is the one that was asked for, each time', async () => {
  await holds(
    async (by) => {
      let waits: number[] = []
      // a machine that stands still makes one longer: it is not so each time
      for (let tries = by === ours ? 3 : 1; tries > 0; tries--) {
        waits = await waitsOf(by)
        assert.ok(
          waits.every((wait) => wait >= 145),
          waits.join(', '),
        )
        if (Math.max(...waits) < 1_900) return
      }
      assert.unreachable(waits.join(', '))
    },
    naive({ onError: 'nak-later', consumer: { backoff: [100e6, 2_100e6, 4_100e6], max_deliver: 5 } }),
  )
})

/** How long it is from each attempt to the next one. */
async function waitsOf(by: Implementation): Promise<number[]> {
  const times: number[] = []
  const handle = (): never => {
    times.push(performance.now())
    return fail()
  }
  const spec = { handle, attempts: 4, delay: 150, ackWait: 20_000 }
  await running(by, spec, 1, async () => times.length >= 4 || undefined, by === ours ? 30_000 : 10_000)
  return times.slice(1).map((time, at) => time - (times[at] ?? 0))
}

test('22 a dead letter says why: code, detail, stack, attempts with their times', async () => {
  await holds(
    async (by) => {
      const [letter] = await running(by, { handle: fail, attempts: 2 }, 1, haveLetters(1))
      assert.is(letter?.code, 'HANDLER_FAILED')
      assert.is(letter?.detail, 'no luck at all')
      assert.match(letter?.headers.get('Millrace-Dead-Stack') ?? '', 'complaints-recovery.test')
      assert.is(letter?.attempts.length, 2)
      assert.match(letter?.attempts[0] ?? '', /^\d{13}:HANDLER_FAILED$/)
      assert.match(letter?.headers.get('Millrace-Dead-Fingerprint') ?? '', /^[0-9a-f]{12}$/)
    },
    naive({ onError: 'payload-only' }),
  )
})

test('DL5 26 a consumer that is lost begins behind what is done, not behind what was delivered', async () => {
  await holds(
    async (by, limit) => {
      checkpoint = 0
      const connection = await sharedConnection()
      const dying = await connectTo((await sharedServer()).url)
      const at = await place(connection)
      const seen = new Set<number>()
      const handle = (n: number): unknown => (n === 2 ? new Promise(() => undefined) : seen.add(n))
      await by(dying, at, { handle, ackWait: 20_000 })
      await ask(connection, at, 5)
      await eventually('four of five', () => seen.size === 4)
      const { delivered } = await consumerOf(connection, at.stream.name, 'handler-spec')
      await dying.close()
      await connection.manager.consumers.delete(at.stream.name, 'handler-spec')
      checkpoint = delivered.stream_seq
      const { stop } = await by(connection, at, { handle: (n) => seen.add(n), ackWait: 20_000 })
      await ask(connection, at, 1, { from: 5 })
      await eventually('all', () => seen.size === 6, limit).finally(stop)
    },
    (connection, at, spec) => {
      const consumer = { deliver_policy: 'by_start_sequence', opt_start_seq: checkpoint + 1 } as never
      return naive({ onError: 'nak', ...(checkpoint === 0 ? {} : { consumer }) })(connection, at, spec)
    },
  )
})

/** What the naive one notes of where it is. */
let checkpoint = 0
test.run()
