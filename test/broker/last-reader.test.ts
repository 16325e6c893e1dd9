import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { LastReader } from '../../src/broker/last-reader.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'

const test = suite('last-reader')

/** Ten subjects in several partitions, the first of them with two messages, and a reader that counts requests. */
async function world(storedUpTo = 0) {
  const connection = await sharedConnection()
  const { name, root } = await freshStream(connection)
  const put = (key: string, text: string) =>
    publishOnce(connection, { subject: `${root}.${key}.own.${key}`, headers: [], data: Buffer.from(text) })
  await put('k0', 'first')
  for (let at = 0; at < 10; at++) await put(`k${at}`, `v${at}`)
  const known = { subject: `millrace.${name}.known`, headers: [], data: Buffer.from('here') }
  const { sequence } = await publishOnce(connection, known)
  let leader = 0
  const counted = new Proxy(connection, {
    get(target, property) {
      if (property === 'manager') leader += 1
      return Reflect.get(target, property) as unknown
    },
  }) as Connection
  const reader = new LastReader({
    connection: counted,
    clock: systemClock,
    stream: name,
    known: known.subject,
    storedUpTo: () => sequence + storedUpTo,
  })
  const read = async (key: string) => {
    const found = await reader.read(`${root}.*.own.${key}`)
    return found === undefined ? undefined : Buffer.from(found.data).toString()
  }
  return { read, reader, known: known.subject, leader: () => leader }
}

test('what is asked for together is read together, whichever partition has it', async () => {
  const { read, reader, known, leader } = await world()
  const keys = Array.from({ length: 10 }, (_, at) => `k${at}`)
  const all = await Promise.all([...keys.map(read), read('none'), reader.read(known)])
  assert.equal(all.slice(0, 11), [...keys.map((_, at) => `v${at}`), undefined])
  assert.is(Buffer.from(all[11] === undefined ? '' : (all[11] as { data: Uint8Array }).data).toString(), 'here')
  assert.is(leader(), 0)
})

test('one that is asked for alone is the leader’s to answer', async () => {
  const { read, leader } = await world()
  assert.is(await read('k3'), 'v3')
  assert.is(leader(), 1)
})

test('an answer that is not as far as the stream is known to be does not count: the leader is asked', async () => {
  const { read, leader } = await world(1)
  assert.equal(await Promise.all([read('k0'), read('k9'), read('none')]), ['v0', 'v9', undefined])
  assert.is(leader(), 3)
})

test('more than one request takes are read too', async () => {
  const { read } = await world()
  const found = await Promise.all(Array.from({ length: 600 }, (_, at) => read(`k${at}`)))
  assert.is(found.filter((text) => text !== undefined).length, 10)
})

test.run()
