// The feed of a unit whose stream had another number of partitions, where the end of what was stored before is not told.
import type { MsgRequest } from '@nats-io/jetstream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../../src/broker/connection.ts'
import type { Processor } from '../../../src/kernel/processor.ts'
import { UnitFeed } from '../../../src/kernel/unit-feed.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import { publishAll } from '../../support/events.ts'
import { processors, readings, registry } from '../../support/kill-fixture.ts'

const test = suite('unit-feed')

/** A connection over which the stream’s leader is asked for messages as `answer` says; undefined: as it is. */
function asking(connection: Connection, answer: () => MsgRequest | undefined, seq: number): Connection {
  const through = <T extends object>(of: T, own: Partial<T>): T =>
    new Proxy(of, {
      get: (target, name) => {
        const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name)
        return typeof value === 'function' && !(name in own) ? value.bind(target) : value
      },
    })
  const { manager } = connection
  const getMessage: typeof manager.streams.getMessage = async (stream, query) => {
    const other = answer()
    const message = await manager.streams.getMessage(stream, other ?? query)
    return message === null || other === undefined ? message : through(message, { seq })
  }
  return through(connection, { manager: through(manager, { streams: through(manager.streams, { getMessage }) }) })
}

test('RP1 what expires just when a unit has come to it does not keep the unit from the end of an idle stream', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { partitions: 1 })
  const processor = (processors(stream) as [Processor, Processor])[0]
  await publishAll(connection, stream, readings(20))
  for (let gone = 16; gone <= 20; gone++) await connection.manager.streams.deleteMessage(stream.name, gone)
  const sequences: number[] = []
  let seen = 0
  // at the first look the leader still has message 20; the consumer’s server never gets it
  const answer = (): MsgRequest | undefined => (sequences.at(-1) === 15 && (seen += 1) === 1 ? { seq: 15 } : undefined)
  let ended = false
  const feed: UnitFeed = new UnitFeed(asking(connection, answer, 20), {
    processor,
    partition: '0',
    registry,
    from: 1,
    durable: false,
    plan: { segments: [{ until: 20, by: 'key' }], onEnd: () => void (ended = true) },
    clock: systemClock,
    onMessages: (messages) => {
      sequences.push(...messages.map(({ sequence }) => sequence))
      feed.release(messages.length)
    },
    onFailure: (error) => assert.unreachable(error.message),
  })
  try {
    await eventually('its end', () => ended, 10_000)
    assert.equal([sequences.length, feed.caughtUp], [15, true])
  } finally {
    feed.stop()
  }
})

test.run()
