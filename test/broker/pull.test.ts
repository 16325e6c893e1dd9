import type { Msg } from '@nats-io/transport-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { Pull } from '../../src/broker/pull.ts'
import { settled, VirtualClock } from '../support/virtual-clock.ts'

const test = suite('pull')
const NO_DATA: Uint8Array = Buffer.alloc(0)

/** A pull, and what comes to it out of its socket. */
function pulling(ackWait?: number) {
  const clock = new VirtualClock(1_000)
  const [taken, ends]: [number[], string[]] = [[], []]
  let take: (error: null, message: Msg) => void = () => undefined
  const nats = {
    isDraining: () => false,
    isClosed: () => false,
    publish: () => undefined,
    subscribe: (_: string, { callback }: { callback: typeof take }) => {
      take = callback
      return { getID: () => 1, unsubscribe: () => (take = () => undefined) }
    },
  }
  const state = { kind: 'connected' }
  const connection = { nats, state, newInbox: () => 'inbox', apiPrefix: '$JS.API', onStatus: () => () => undefined }
  const pull = new Pull(connection as unknown as Connection, {
    stream: 'S',
    consumer: 'C',
    credit: 10,
    clock,
    ...(ackWait === undefined ? {} : { ackWait }),
    onMessages: (messages) => void taken.push(...messages.map(({ sequence }) => sequence)),
    onIdle: () => undefined,
    onEnd: ({ kind }) => void ends.push(kind),
  })
  const arrives = (sequence: number): void =>
    take(null, { subject: 's', reply: `$JS.ACK.S.C.1.${sequence}.1.1700000000000000000.0`, data: NO_DATA } as Msg)
  return { clock, taken, ends, pull, arrives }
}

test('what arrived while a process stood still is read before its pull is given up', async () => {
  const { clock, taken, ends, pull, arrives } = pulling(30_000)
  // timers come first when it wakes up, then the socket
  await clock.pass(6_000)
  arrives(1)
  await settled()
  await clock.pass(1_000)
  assert.equal([taken, ends], [[1], []])
  arrives(2)
  await settled()
  assert.equal(taken, [1, 2])
  pull.stop()
})

test('a pull to which nothing has come for two heartbeats is given up', async () => {
  const { clock, ends } = pulling(30_000)
  await clock.pass(6_000)
  assert.equal(ends, [])
  await clock.pass(1_000)
  assert.equal(ends, ['silent'])
})

test('DL7 what arrived so long ago that others may have it by now is not read, nor what comes again at once', async () => {
  for (const ackWait of [7_000, undefined]) {
    const { clock, taken, ends, arrives } = pulling(ackWait)
    await clock.pass(6_000)
    arrives(1)
    await settled()
    assert.equal([taken, ends], [[], ['silent']])
  }
})

test.run()
