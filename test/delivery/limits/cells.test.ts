// What processes know together, when reading it fails, or is slower than hearing of it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../../src/broker/connection.ts'
import type { StoredMessage } from '../../../src/broker/stored-message.ts'
import { BucketCell } from '../../../src/delivery/limits/bucket-cell.ts'
import { DEPENDENCY_BUCKET, SharedCells } from '../../../src/delivery/limits/shared-cells.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'

const test = suite('cells of a bucket')

type Read = Connection['manager']['streams']['getMessage']
type Answer = Awaited<ReturnType<Read>>

/** A connection on which single messages are read in another way. */
function reading(getMessage: Read, connection = {} as Connection): Connection {
  const streams = new Proxy(connection.manager?.streams ?? {}, {
    get: (target, name) =>
      name === 'getMessage' ? getMessage : (Reflect.get(target, name) as () => unknown).bind(target),
  })
  const manager = new Proxy(connection.manager ?? {}, {
    get: (target, name) => (name === 'streams' ? streams : (Reflect.get(target, name) as unknown)),
  })
  return new Proxy(connection, {
    get: (target, name) => (name === 'manager' ? manager : (Reflect.get(target, name) as unknown)),
  })
}

/** A cell whose reads are answered when it is said. */
function slowCell() {
  const answers: ((answer: Answer) => void)[] = []
  const connection = reading(() => new Promise((resolve) => answers.push(resolve)))
  const nothing = (): Promise<void> => Promise.resolve()
  const cell = new BucketCell({ connection, bucket: 'b', key: 'k', wait: nothing, ensure: nothing })
  return {
    cell,
    hear: (sequence: number) =>
      cell.heard({
        sequence,
        data: Buffer.from(`${sequence}`),
        headers: { get: () => undefined },
      } as never as StoredMessage),
    answer: (sequence: number) =>
      answers.shift()?.({
        seq: sequence,
        time: new Date(),
        data: Buffer.from(`${sequence}`),
        header: new Map(),
      } as never),
  }
}

test('what is heard while it is read is not set back by what the server had before', async () => {
  const { cell, hear, answer } = slowCell()
  const first = cell.read()
  hear(5)
  answer(4)
  await first
  assert.is(cell.value, 5)
  const second = cell.read()
  hear(6)
  answer(7)
  await second
  assert.is(cell.value, 7)
})

test('a bucket that was made anew begins anew: what is read of it counts, however small its sequence', async () => {
  const { cell, hear, answer } = slowCell()
  hear(5)
  const read = cell.read()
  answer(2)
  await read
  assert.is(cell.value, 2)
  hear(3)
  assert.is(cell.value, 3)
})

test('a value that could not be read is read again by who asks next, and nobody has it unread', async () => {
  const connection = await sharedConnection()
  let fails = 0
  const getMessage: Read = (...query) =>
    fails > 0 && (fails -= 1) >= 0 ? Promise.reject(new Error('away')) : connection.manager.streams.getMessage(...query)
  const shared = { connection: reading(getMessage, connection), clock: systemClock, log: silentLog, replicas: 1 }
  const cells = await SharedCells.open({ ...shared, chance: () => 0.5 })
  atEnd(() => cells.stop())
  const put = (key: string) =>
    connection.nats.request(`$KV.${DEPENDENCY_BUCKET}.${key}`, JSON.stringify({ of: key }), { timeout: 5_000 })
  const [key, later] = [`read-${process.pid}`, `later-${process.pid}`]
  await put(key)
  // so that nobody hears of the first one any more
  const heard = await cells.cell(later)
  await put(later)
  await eventually('it is heard', () => heard.value !== undefined)
  fails = 1
  const both = await Promise.allSettled([cells.cell(key), cells.cell(key)])
  assert.equal(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  const cell = await cells.cell(key)
  assert.equal(cell.value, { of: key })
  await put(key)
  assert.is(await cells.cell(key), cell)
})

test.run()
