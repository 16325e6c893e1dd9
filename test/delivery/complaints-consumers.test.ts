// PEERS B: consumers that stall or lie. The number of each complaint is in the name of its test.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { linkTo } from '../support/link.ts'
import { sharedServer } from '../support/nats.ts'
import { holds } from './complaining.ts'
import { naive } from './naive/naive-loop.ts'
import { ask, consumerOf, place } from './running-handlers.ts'

const test = suite('complaints about consumers')

test('DL5 10 a consumer that is deleted is made again, and events go on', async () => {
  await holds(
    async (by, limit) => {
      const connection = await sharedConnection()
      const at = await place(connection)
      const seen = new Set<number>()
      const { stop } = await by(connection, at, { handle: (n) => seen.add(n) })
      await ask(connection, at, 3)
      await eventually('before', () => seen.size === 3)
      await connection.manager.consumers.delete(at.stream.name, 'handler-spec')
      await ask(connection, at, 3, { from: 3 })
      await eventually('after', () => seen.size === 6, limit).finally(stop)
    },
    naive({ onError: 'nak' }),
  )
})

test('11 events that wait for another attempt take no room from those that come', async () => {
  await holds(
    async (by, limit) => {
      const connection = await sharedConnection()
      const at = await place(connection)
      const seen = new Set<number>()
      const handle = (n: number): void => {
        if (n < 10) throw new Error('later')
        seen.add(n)
      }
      const { stop } = await by(connection, at, { handle, delay: 60_000, total: 10, worker: 10 })
      await ask(connection, at, 30)
      await eventually('the others', () => seen.size === 20, limit).finally(stop)
    },
    naive({ onError: 'nak-later' }),
  )
})

test('12 acknowledgements do not wait for a checkpoint that needs more events than may be open', async () => {
  await holds(
    async (by, limit) => {
      const connection = await sharedConnection()
      const at = await place(connection)
      const seen = new Set<number>()
      const { stop } = await by(connection, at, { handle: (n) => seen.add(n), total: 10, worker: 10, ackWait: 20_000 })
      await ask(connection, at, 30)
      await eventually('all', () => seen.size === 30, limit).finally(stop)
    },
    naive({ onError: 'nak', ackEvery: 25 }),
  )
})

test('13 nothing stays unacknowledged, however events end', async () => {
  await holds(
    async (by, limit) => {
      const connection = await sharedConnection()
      const at = await place(connection)
      const handle = (n: number): void => {
        if (n % 3 === 0) throw new Error('no')
      }
      const { stop } = await by(connection, at, { handle, ackWait: 1_000, attempts: 2 })
      await ask(connection, at, 60)
      const none = async (): Promise<boolean> => {
        const { num_ack_pending, num_pending, ack_floor } = await consumerOf(connection, at.stream.name, 'handler-spec')
        return num_ack_pending === 0 && num_pending === 0 && ack_floor.stream_seq >= 60
      }
      await eventually('nothing open', async () => (await none()) || undefined, limit).finally(stop)
    },
    naive({ onError: 'nothing' }),
  )
})

test('DL6 14 the limit over all processes holds, and that of each', async () => {
  await holds(
    async (by) => {
      const connection = await sharedConnection()
      const at = await place(connection)
      let [running, most, done] = [0, 0, 0]
      const handle = async (): Promise<void> => {
        most = Math.max(most, (running += 1))
        await systemClock.sleep(20)
        running -= 1
        done += 1
      }
      await ask(connection, at, 60)
      const spec = { handle, worker: 8, total: 5, ackWait: 10_000 }
      const [one, other] = [await by(connection, at, spec), await by(connection, at, spec)]
      await eventually('all', () => done >= 60)
      await Promise.all([one.stop(), other.stop()])
      assert.ok(most <= 5, `${most} at a time`)
    },
    naive({ onError: 'nak', ignoresTotal: true }),
  )
})

test('DL1 16 an acknowledgement that was lost with its link is repeated: the event is not handled again', async () => {
  await holds(
    async (by) => {
      const link = await linkTo((await sharedServer()).url)
      const direct = await sharedConnection()
      const connection = await connectTo(link.url)
      const at = await place(direct)
      let runs = 0
      let finish = (): void => undefined
      const handle = (): Promise<void> => {
        runs += 1
        return new Promise((resolve) => (finish = resolve))
      }
      const { stop } = await by(connection, at, { handle, ackWait: 3_000 })
      await ask(direct, at, 1)
      await eventually('begun', () => runs === 1)
      link.close()
      link.cut()
      await eventually('away', () => connection.state.kind === 'disconnected')
      finish()
      await systemClock.sleep(50)
      link.open()
      await systemClock.sleep(5_000)
      const { num_ack_pending } = await consumerOf(direct, at.stream.name, 'handler-spec')
      finish()
      await stop()
      assert.is(runs, 1)
      assert.is(num_ack_pending, 0)
    },
    naive({ onError: 'nak' }),
  )
})

test.run()
