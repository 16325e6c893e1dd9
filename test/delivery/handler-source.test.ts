// The source of a handler, while it starts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { HandlerSource } from '../../src/delivery/handler-source.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { ask, place } from './running-handlers.ts'

const test = suite('the source of a handler')

async function sourceOf(connection: Connection) {
  const at = await place(connection)
  await ask(connection, at, 1)
  const arrived: number[] = []
  const source = new HandlerSource({
    connection,
    clock: systemClock,
    log: silentLog,
    consumer: {
      stream: at.stream.name,
      name: 'own',
      description: '',
      filters: [`${at.stream.root}.>`],
      ackWait: 30_000,
      maxAckPending: 10,
      maxDeliver: -1,
    },
    from: 'first',
    onMessages: (messages) => arrived.push(...messages.map(({ sequence }) => sequence)),
    onFailure: () => undefined,
  })
  atEnd(() => source.stop())
  return { source, arrived }
}

test('one that is stopped while it starts asks for nothing', async () => {
  const { source } = await sourceOf(await sharedConnection())
  const starting = source.start()
  source.stop()
  await starting
  assert.is(source.load.asked, 0)
})

test('one that is drained while it starts asks for nothing until it is told to go on', async () => {
  const { source, arrived } = await sourceOf(await sharedConnection())
  const starting = source.start()
  assert.equal(await source.drain(), [])
  await starting
  assert.equal([source.load.asked, arrived], [0, []])
  source.resume()
  await eventually('it goes on', () => arrived.length === 1)
})

test.run()
