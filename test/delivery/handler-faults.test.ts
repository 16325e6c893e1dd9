import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixed } from '../../src/delivery/backoff.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import type { HandlerDeclaration, SingleOptions } from '../../src/delivery/handler-options.ts'
import { crash, retry } from '../../src/delivery/recovery.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { ask, Asked, consumerOf, letters, place, work, type Place } from './running-handlers.ts'

const test = suite('faults of a handler')
const once = retry({ attempts: 2, immediate: 0, backoff: fixed(50) })

function faulty(
  { stream }: Place,
  handle: (n: number, event: { data: { n: number } }, signal: AbortSignal) => unknown,
  options: Partial<SingleOptions<readonly [typeof Asked]>> = {},
): HandlerDeclaration {
  return defineHandler({
    name: 'faulty',
    on: { stream: stream.name, events: [Asked] },
    recovery: once,
    ...options,
    handle: (event: { data: { n: number } }, { signal }: { signal: AbortSignal }) =>
      handle(event.data.n, event, signal) as undefined,
  } as SingleOptions<readonly [typeof Asked]>)
}

test('a handler that throws a string, nothing, or something that cannot be printed has failed with a code', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const thrown: readonly unknown[] = ['a string', undefined, Object.create(null), 17]
  await work(
    connection,
    at,
    faulty(at, (n) => {
      throw thrown[n]
    }),
  )
  await ask(connection, at, 4)
  const all = await eventually('letters', async () => {
    const found = await letters(connection, at)
    return found.length >= 4 ? found : undefined
  })
  assert.ok(all.every(({ code }) => code === 'HANDLER_FAILED'))
  assert.ok(all.some(({ detail }) => detail === 'a string'))
})

test('a handler that never returns is left behind at its timeout, and its event is a dead letter in the end', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  let aborted = 0
  const never = (_: number, __: unknown, signal: AbortSignal): Promise<never> => {
    signal.addEventListener('abort', () => (aborted += 1))
    return new Promise(() => undefined)
  }
  const { run } = await work(connection, at, faulty(at, never, { timeout: 150, concurrency: 4 }))
  await ask(connection, at, 1)
  const all = await eventually('a letter', async () => {
    const found = await letters(connection, at)
    return found.length > 0 ? found : undefined
  })
  assert.is(all[0]?.code, 'HANDLER_TIMEOUT')
  assert.is(aborted, 2)
  await eventually('nothing runs', () => run.status.running === 0 || undefined)
})

test('as many runs left behind as may be in flight have the handler stand still, and say so', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const ends: (() => void)[] = []
  const hang = (): Promise<void> => new Promise((resolve) => ends.push(resolve))
  const { run } = await work(connection, at, faulty(at, hang, { timeout: 100, concurrency: 2 }))
  await ask(connection, at, 6)
  await eventually('stands still', () => run.status.stall?.code === 'HANDLER_STUCK' || undefined)
  const begun = ends.length
  await systemClock.sleep(400)
  assert.is(ends.length, begun)
  for (const end of ends) end()
  await eventually('goes on', () => ends.length > begun || undefined)
})

test('DL7 a handler that takes longer than its ack wait has its event to itself, and those that wait beside it', async () => {
  // a process that stands still for as long as its ack wait does lose its events: then once more, with a longer one
  let seen: readonly number[] = []
  for (let ackWait = 500; seen.length !== 4 && ackWait <= 4_500; ackWait *= 3) seen = await takingLong(ackWait)
  assert.equal(seen.toSorted(), [0, 1, 2, 3])
})

/** What two that take three times the ack wait have begun of four events. */
async function takingLong(ackWait: number): Promise<readonly number[]> {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: number[] = []
  const slow = async (n: number): Promise<void> => {
    seen.push(n)
    await systemClock.sleep(3 * ackWait)
  }
  const one = await work(connection, at, faulty(at, slow, { ackWait, concurrency: 1 }))
  const other = await work(connection, at, faulty(at, slow, { ackWait, concurrency: 1 }))
  await ask(connection, at, 4)
  await eventually('done', () => one.run.status.counts.done + other.run.status.counts.done >= 4 || undefined, 90_000)
  await Promise.all([one.run.stop(), other.run.stop()])
  return seen
}

test('a handler that changes its event fails, and neither its other attempts nor the dead letter have the change', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: number[] = []
  await work(
    connection,
    at,
    faulty(at, (n, event) => {
      seen.push(n)
      event.data.n = 99
    }),
  )
  await ask(connection, at, 1, { from: 5 })
  const all = await eventually('a letter', async () => {
    const found = await letters(connection, at)
    return found.length > 0 ? found : undefined
  })
  assert.equal(seen, [5, 5])
  assert.match(all[0]?.detail ?? '', 'read only')
  assert.is(JSON.parse(Buffer.from(all[0]?.data ?? '').toString()).n, 5)
})

test('crash() stops the handler before the event, with a code; the event stays for who comes after', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const bad = faulty(
    at,
    () => {
      throw new Error('halt')
    },
    { recovery: crash() },
  )
  const { failures } = await work(connection, at, bad)
  await ask(connection, at, 1)
  await eventually('failed', () => failures.length > 0 || undefined)
  assert.is(failures[0]?.code, 'HANDLER_FAILED')
  let done = 0
  await work(
    connection,
    at,
    faulty(at, () => void (done += 1)),
  )
  await eventually('handled by the next', () => done === 1 || undefined)
})

test('DL5 a consumer that was changed under a handler is changed back', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  let done = 0
  await work(
    connection,
    at,
    faulty(at, () => void (done += 1)),
  )
  await connection.manager.consumers.update(at.stream.name, 'handler-faulty', { max_ack_pending: 3, ack_wait: 5e9 })
  await eventually(
    'changed back',
    async () =>
      (await consumerOf(connection, at.stream.name, 'handler-faulty')).config.max_ack_pending === 1_024 || undefined,
    30_000,
  )
  await ask(connection, at, 3)
  await eventually('handled', () => done === 3 || undefined)
})

test('DL3 while dead letters cannot be stored, the handler stands still with its events, and goes on by itself', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const fail = (): never => {
    throw new Error('no')
  }
  const { manager } = connection
  const { config, state } = await manager.streams.info('DEAD_LETTERS')
  await manager.streams.update('DEAD_LETTERS', { ...config, max_msgs: Math.max(1, state.messages) })
  if (state.messages === 0) await connection.nats.request('millrace.dead.x.1.y', '')
  const { run } = await work(connection, at, faulty(at, fail, { recovery: retry({ attempts: 1 }) }))
  await ask(connection, at, 2)
  await eventually('stands still', () => run.status.stall?.code === 'HANDLER_LETTER_WAITS' || undefined)
  await eventually('with its events', async () => {
    const { num_ack_pending } = await consumerOf(connection, at.stream.name, 'handler-faulty')
    return num_ack_pending === 2 || undefined
  })
  await manager.streams.update('DEAD_LETTERS', { ...config, max_msgs: -1 })
  await eventually('two letters', async () => (await letters(connection, at)).length === 2 || undefined)
  await eventually('goes on', () => run.status.stall === undefined || undefined)
})

test('what came while a process stood still is handled when it goes on', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: number[] = []
  // given back by nobody, it would come again after ten minutes
  await work(
    connection,
    at,
    faulty(at, (n) => void seen.push(n), { ackWait: '10m', concurrency: 16 }),
  )
  await ask(connection, at, 4)
  await eventually('first', () => seen.length === 4 || undefined)
  const asked = ask(connection, at, 8, { from: 4 })
  await systemClock.sleep(0)
  await new Promise((resolve) => setImmediate(resolve))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 7_000)
  await asked
  await eventually('all', () => new Set(seen).size === 12 || undefined)
})

test.run()
