// What ordered handlers are given: packs, events that come twice, those from now on; and what their errors decide.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readLast } from '../../../src/broker/last-message.ts'
import { publishOnce } from '../../../src/broker/publish-once.ts'
import { commitSubject } from '../../../src/broker/system-subject.ts'
import { fixed } from '../../../src/delivery/backoff.ts'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { inbox } from '../../../src/delivery/idempotency/inbox.ts'
import { deadLetter, park, retry } from '../../../src/delivery/recovery.ts'
import { openWebhook } from '../../../src/edge/webhook/open-webhook.ts'
import { encodeEvent } from '../../../src/event/encode.ts'
import { publishSubject } from '../../../src/event/subject.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { openGate } from '../../../src/delivery/gate.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { receiver, SECRETS, webhook } from '../../edge/receiving.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { eventsOf, publishPacks } from '../../support/packs.ts'
import { ask, Asked, letters, place } from '../running-handlers.ts'
import { workInOrder } from './running-ordered.ts'

const test = suite('events of ordered handlers')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const connection = await sharedConnection()

test('DL9 22 the events of packs are handled one after the other, and a dead letter is the one that failed, alone', async () => {
  const at = await place(connection)
  const seen: number[] = []
  const declaration = defineHandler({
    name: 'unpacking',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: retry({ attempts: 2, immediate: 0, backoff: fixed(50) }),
    handle: async ({ data: { n } }) => {
      await pause((n * 7) % 5)
      if (n === 3) throw new Error('never')
      seen.push(n)
    },
  })
  const events = eventsOf(Array.from({ length: 12 }, (_, n) => Asked({ n, key: 'one' })))
  await publishPacks(connection, at.stream, [events.slice(0, 5), events.slice(5, 6), events.slice(6)])
  const { failures } = await workInOrder(connection, at, declaration)
  await eventually('all', () => seen.length === 11 || undefined)
  assert.equal(seen, [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11])
  const all = await letters(connection, at)
  const kept = all.map(({ data }) => JSON.parse(Buffer.from(data).toString()) as { id: string; data: unknown })
  assert.equal(
    kept.map((one) => [one.id, one.data]),
    [['e4', { n: 3, key: 'one' }]],
  )
  assert.equal(failures, [])
})

test('an event that is stored twice is handled once where an inbox remembers it, and in its place', async () => {
  const at = await place(connection, { partitions: 1 })
  const seen: string[] = []
  const declaration = defineHandler({
    name: `twice-${process.pid}`,
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    idempotent: inbox({ ttl: '1h' }),
    handle: ({ data: { n }, id }) => void seen.push(`${n} ${id}`),
  })
  const { failures } = await workInOrder(connection, at, declaration)
  const events = eventsOf([0, 1, 2].map((n) => Asked({ n, key: 'one' })))
  const [first, second, third] = events
  for (const event of [first, second, first, second, third]) {
    const { headers, data } = encodeEvent(event as never)
    // the server would see by its id that it comes again
    const own = headers.filter(([name]) => name !== 'Nats-Msg-Id')
    const subject = publishSubject(at.stream.root, 'one', 'thing.asked')
    await publishOnce(connection, { subject, headers: own, data })
  }
  await eventually('the last', () => seen.includes('2 e3') || undefined)
  assert.equal(seen, ['0 e1', '1 e2', '2 e3'])
  assert.equal(failures, [])
})

test('from: new begins with what is stored after its first start, and goes on from there after the next one', async () => {
  const at = await place(connection)
  const seen: number[] = []
  const declaration = defineHandler({
    name: 'fresh',
    on: { stream: at.stream.name, events: [Asked], from: 'new' },
    order: 'key',
    handle: ({ data: { n } }) => void seen.push(n),
  })
  await ask(connection, at, 14)
  await pause(50)
  const first = await workInOrder(connection, at, declaration)
  await pause(50)
  await ask(connection, at, 7, { from: 14 })
  await eventually('new ones', () => seen.length === 7 || undefined)
  await first.stop()
  await ask(connection, at, 7, { from: 21 })
  await workInOrder(connection, at, declaration)
  await eventually('those while it was away', () => seen.length === 14 || undefined)
  assert.equal(
    seen.toSorted((a, b) => a - b),
    Array.from({ length: 14 }, (_, n) => n + 14),
  )
})

test('from: new is kept when nothing has come before the process ended', async () => {
  const at = await place(connection, { partitions: 1 })
  const seen: number[] = []
  const declaration = defineHandler({
    name: 'idle',
    on: { stream: at.stream.name, events: [Asked], from: 'new' },
    order: 'key',
    handle: ({ data: { n } }) => void seen.push(n),
  })
  const first = await workInOrder(connection, at, declaration)
  const subject = commitSubject(at.stream.name, 'handler-idle', '0')
  await eventually('it is kept where it begins', async () => {
    const last = await readLast(connection, at.stream.name, subject)
    return Buffer.from(last?.data ?? []).includes('"since"')
  })
  await first.stop()
  await ask(connection, at, 3)
  await pause(50)
  await workInOrder(connection, at, declaration)
  await eventually('those while it was away', () => seen.length === 3 || undefined)
})

test('classify decides for each error: one is given up at once, one is parked, others are tried again', async () => {
  const at = await place(connection, { partitions: 1 })
  const seen: string[] = []
  const declaration = defineHandler({
    name: 'choosing',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: retry({ attempts: 3, immediate: 2 }),
    classify: (error) => {
      const text = String(error)
      if (text.includes('hopeless')) return deadLetter()
      return text.includes('stop the key') ? park() : undefined
    },
    handle: ({ data: { n } }, { attempt }) => {
      seen.push(`${n}:${attempt}`)
      if (n === 0) throw new Error('hopeless')
      if (n === 1) throw new Error('stop the key')
      if (n === 2) throw new Error('anything')
    },
  })
  await ask(connection, at, 14)
  const { failures } = await workInOrder(connection, at, declaration)
  await eventually('letters', async () => (await letters(connection, at)).length === 3 || undefined)
  await eventually('the others', () => (seen.includes('7:1') && seen.includes('9:1')) || undefined)
  const of = (n: number): string[] => seen.filter((one) => one.startsWith(`${n}:`))
  assert.equal([of(0), of(1), of(2), of(8)], [['0:1'], ['1:1'], ['2:1', '2:2', '2:3'], []])
  assert.equal(failures, [])
})

test('a webhook that keeps the order of keys posts an event again before the next one of its key', async () => {
  const at = await place(connection)
  const to = await receiver((nth) => (nth === 2 ? 503 : 200))
  const declared = webhook(at, {
    url: to.url,
    order: 'key',
    recovery: retry({ attempts: 3, immediate: 0, backoff: fixed(200) }),
  })
  const opened = await openWebhook({
    declaration: declared,
    connection,
    clock: systemClock,
    log: silentLog,
    setting: (name) => SECRETS[name],
    replicas: 1,
    gate: openGate,
  })
  const events = eventsOf([0, 1, 2, 3].map((n) => Asked({ n, key: 'one' })))
  await publishPacks(connection, at.stream, [events])
  await workInOrder(connection, at, opened.declaration, opened.gate)
  await eventually('all', () => to.received.length === 5 || undefined)
  const numbers = to.received.map(({ body }) => (JSON.parse(body) as { data: { n: number } }).data.n)
  assert.equal(numbers, [0, 1, 1, 2, 3])
  assert.is(to.received[1]?.headers['webhook-id'], to.received[2]?.headers['webhook-id'])
})

test.run()
