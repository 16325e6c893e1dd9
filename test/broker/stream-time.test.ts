import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection, ConnectionStatus } from '../../src/broker/connection.ts'
import { StreamTime } from '../../src/broker/stream-time.ts'
import { settled, VirtualClock } from '../support/virtual-clock.ts'

const test = suite('the clock of a stream')

const T = Date.UTC(2026, 0, 1)

/** A server whose clock is `ahead` of T by what has passed here, and that may not answer. */
function serving(clock: VirtualClock) {
  const listeners = new Set<(status: ConnectionStatus) => void>()
  const server = { ahead: 0, asked: 0, away: false, listeners }
  const info = async () => {
    server.asked += 1
    if (server.away) throw new Error('away')
    return { ts: new Date(T + clock.now() + server.ahead).toISOString() }
  }
  const onStatus = (listener: (status: ConnectionStatus) => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const connection = { state: { kind: 'connected' }, onStatus, manager: { streams: { info } } }
  return { server, connection: connection as unknown as Connection }
}

test('it is asked for at once, every half minute and when the link is back, while somebody follows it', async () => {
  const clock = new VirtualClock()
  const { server, connection } = serving(clock)
  const time = new StreamTime(connection, clock, 'S')
  let moved = 0
  const [stop, stopOther] = [time.follow(() => (moved += 1)), time.follow(() => undefined)]
  assert.is(time.known, false)
  await settled()
  assert.equal([time.known, time.now(), moved, server.asked], [true, T, 1, 1])
  await clock.pass(29_000)
  assert.equal([time.now(), server.asked], [T + 29_000, 1])
  server.ahead = -3_600_000
  await clock.pass(1_000)
  assert.equal([time.now(), moved, server.asked], [T - 3_570_000, 2, 2])
  server.ahead = 500
  for (const listener of server.listeners) listener({ kind: 'connected' })
  await settled()
  assert.equal([time.now(), moved, server.asked], [T + 30_500, 3, 3])
  stop()
  await clock.pass(60_000)
  assert.equal([moved, server.asked], [3, 5])
  stopOther()
  await clock.pass(60_000)
  assert.equal([server.asked, clock.armed, server.listeners.size], [5, 0, 0])
})

test('a server that does not answer is asked every second until it has, and keeps the time that is known', async () => {
  const clock = new VirtualClock()
  const { server, connection } = serving(clock)
  server.away = true
  const time = new StreamTime(connection, clock, 'S')
  const stop = time.follow(() => undefined)
  await clock.pass(5_000)
  assert.equal([time.known, server.asked], [false, 6])
  server.away = false
  await clock.pass(1_000)
  assert.is(time.now(), T + 6_000)
  server.away = true
  await clock.pass(100_000)
  assert.is(time.now(), T + 106_000)
  stop()
})

test.run()
