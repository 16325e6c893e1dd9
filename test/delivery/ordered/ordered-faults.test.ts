// Ordered handlers where something is wrong: processes that end, what they depend on is away, runs that hang.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { openGate, type Gate } from '../../../src/delivery/gate.ts'
import { crash, retry } from '../../../src/delivery/recovery.ts'
import { inbox } from '../../../src/delivery/idempotency/inbox.ts'
import { connectTo, eventually, sharedConnection } from '../../support/broker.ts'
import { readAll } from '../../support/events.ts'
import { sharedServer } from '../../support/nats.ts'
import { ask, Asked, Done, letters, place } from '../running-handlers.ts'
import { workInOrder } from './running-ordered.ts'

const test = suite('faults of ordered handlers')

test('DL4 21 an event whose processes end in the middle of it is a dead letter in the end, and its key goes on', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const done = new Set<number>()
  let begun = 0
  const declaration = defineHandler({
    name: 'deadly',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    handle: async ({ data: { n } }) => {
      if (n !== 3) return void done.add(n)
      begun += 1
      await new Promise(() => undefined)
    },
  })
  await ask(connection, at, 14)
  // a process that ends takes along its connection, and says nothing
  for (let life = 1; life <= 4; life++) {
    const own = await connectTo((await sharedServer()).url)
    await workInOrder(own, at, declaration)
    await eventually(`life ${life}`, () => begun >= life || undefined)
    await own.close()
  }
  await workInOrder(connection, at, declaration)
  const [letter] = await eventually('a letter', async () => {
    const found = await letters(connection, at)
    return found.length > 0 ? found : undefined
  })
  assert.is(letter?.code, 'HANDLER_CRASHED')
  await eventually('the one behind it', () => done.has(10) || undefined)
  await eventually('the others', () => done.size === 13 || undefined)
  assert.is(begun, 4)
})

test('20 while what it depends on is away nothing is begun and no attempt counts; it goes on in order', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const listeners = new Set<() => void>()
  let open = false
  const gate: Gate = {
    ...openGate,
    get open() {
      return open
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const seen: number[] = []
  const declaration = defineHandler({
    name: 'gated',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    handle: ({ data: { n } }, { attempt }) => {
      assert.is(attempt, 1)
      seen.push(n)
    },
  })
  await ask(connection, at, 21)
  const { failures } = await workInOrder(connection, at, declaration, gate)
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.is(seen.length, 0)
  open = true
  for (const listener of listeners) listener()
  await eventually('all', () => seen.length === 21 || undefined)
  for (let key = 0; key < 7; key++)
    assert.equal(
      seen.filter((n) => n % 7 === key),
      [key, key + 7, key + 14],
    )
  assert.equal(failures, [])
})

test('a run that hangs has failed, and takes its place until it ends; crash() stops before the event', async () => {
  const connection = await sharedConnection()
  const at = await place(connection, { partitions: 1 })
  const seen: string[] = []
  const declaration = defineHandler({
    name: 'hanging',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    timeout: '100ms',
    recovery: retry({ attempts: 2, immediate: 1, last: crash() }),
    handle: async ({ data: { n } }, { attempt, signal }) => {
      seen.push(`${n}:${attempt}`)
      if (n === 7) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
  })
  await ask(connection, at, 15)
  const { failures } = await workInOrder(connection, at, declaration)
  const failure = await eventually('it stops', () => failures[0])
  assert.is(failure.code, 'POISON_STOPPED')
  assert.match(failure.message, /HANDLER_TIMEOUT/)
  assert.ok(seen.includes('7:2') && !seen.includes('14:1'))
})

test('with an inbox each event is handled, and what it emits is there', async () => {
  const connection = await sharedConnection()
  const at = await place(connection, { partitions: 1 })
  let handled = 0
  const declaration = defineHandler({
    name: `remembering-${process.pid}`,
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    idempotent: inbox({ ttl: '1h' }),
    emits: { stream: at.stream.name, events: [Done] },
    handle: ({ data }) => {
      handled += 1
      return Done(data)
    },
  })
  await ask(connection, at, 7)
  const { stop, failures } = await workInOrder(connection, at, declaration)
  const done = async (): Promise<number> =>
    (await readAll(connection, at.stream.name, [`${at.stream.root}.*.thing.done`])).length
  await eventually('emitted', async () => (await done()) === 7 || undefined)
  await stop()
  assert.is(handled, 7)
  assert.equal(failures, [])
})

test('21 a stop waits for what runs, and begins nothing more: each event is handled once', async () => {
  const connection = await sharedConnection()
  const at = await place(connection, { partitions: 1 })
  const begun: number[] = []
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const declaration = defineHandler({
    name: 'stopping',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    handle: async ({ data: { n } }, { signal }) => {
      begun.push(n)
      await released
      assert.not(signal.aborted)
    },
  })
  await ask(connection, at, 14)
  const first = await workInOrder(connection, at, declaration)
  await eventually('it has begun', () => begun.length === 7 || undefined)
  const stopped = first.stop()
  await new Promise((resolve) => setTimeout(resolve, 300))
  release()
  await stopped
  assert.is(begun.length, 7)
  await workInOrder(connection, at, declaration)
  await eventually('the rest', () => begun.length === 14 || undefined)
  assert.equal(
    begun.toSorted((a, b) => a - b),
    Array.from({ length: 14 }, (_, n) => n),
  )
})

test.run()
