import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixed } from '../../src/delivery/backoff.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { permanent, retry } from '../../src/delivery/recovery.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { upTo } from '../support/numbered.ts'
import { ask, Asked, consumerOf, Done, inWork, letters, place, work } from './running-handlers.ts'

const test = suite('a handler on a server')

test('DL1 every event is handled once, and every acknowledgement is confirmed', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: number[] = []
  const { run } = await work(
    connection,
    at,
    defineHandler({
      name: 'count',
      on: { stream: at.stream.name, events: [Asked] },
      handle: (event) => void seen.push(event.data.n),
    }),
  )
  await ask(connection, at, 500)
  await eventually('all handled', () => seen.length >= 500)
  await run.stop()
  assert.equal(
    seen.toSorted((a, b) => a - b),
    upTo(500),
  )
  const info = await consumerOf(connection, at.stream.name, 'handler-count')
  assert.is(info.num_ack_pending, 0)
  assert.is(info.num_pending, 0)
})

test('DL2 what fails is repeated later by a schedule with its attempts, and is a dead letter at the end', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: string[] = []
  await work(
    connection,
    at,
    defineHandler({
      name: 'flaky',
      on: { stream: at.stream.name, events: [Asked] },
      recovery: retry({ attempts: 4, immediate: 1, backoff: fixed('50ms') }),
      handle: async (event, { attempt, attempts, idempotencyKey }) => {
        seen.push(`${event.data.n}:${attempt}:${attempts.length}:${idempotencyKey}`)
        if (event.data.n === 1) throw new Error('no luck')
        if (event.data.n === 2 && attempt < 3) throw new Error('not yet')
        if (event.data.n === 3) throw permanent('never')
      },
    }),
  )
  await ask(connection, at, 5)
  const dead = await eventually('two letters', async () => {
    const all = await letters(connection, at)
    return all.length >= 2 ? all : undefined
  })
  await eventually('no work is left', async () => (await inWork(connection, at)) === 0)
  assert.equal(dead.map(({ code }) => code).toSorted(), ['HANDLER_FAILED', 'HANDLER_REFUSED'])
  const failed = dead.find(({ code }) => code === 'HANDLER_FAILED')
  assert.is(failed?.detail, 'no luck')
  assert.is(failed?.attempts.length, 4)
  assert.match(failed?.headers.get('Millrace-Dead-Stack') ?? '', 'handler-on-server.test')
  const runs = (n: number): string[] => seen.filter((one) => one.startsWith(`${n}:`))
  assert.is(runs(1).length, 4)
  assert.is(runs(2).length, 3)
  assert.is(runs(3).length, 1)
  assert.is(new Set(runs(1).map((one) => one.split(':')[3])).size, 1)
})

test('what a handler emits is stored before the event is done, with the same id each time', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  await work(
    connection,
    at,
    defineHandler({
      name: 'answer',
      on: { stream: at.stream.name, events: [Asked], where: 'data.n >= 5' },
      emits: { stream: at.stream.name, events: [Done] },
      handle: ({ data }) => Done({ n: data.n, key: data.key }),
    }),
  )
  await ask(connection, at, 10)
  const out = await eventually('five emitted', async () => {
    const all = await readAll(connection, at.stream.name, [`${at.stream.root}.*.thing.done`])
    return all.length >= 5 ? all : undefined
  })
  assert.is(out.length, 5)
  assert.match(out[0]?.headers.get('ce-id') ?? '', /^answer-[0-9a-f]{8}-e\d+-0$/)
})

test('DL8 a stop hands back what it has not begun, and another process has it at once', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: number[] = []
  const slow = (name: string) =>
    defineHandler({
      name,
      on: { stream: at.stream.name, events: [Asked] },
      concurrency: 4,
      ackWait: '10m',
      handle: async (event, { signal }) => {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 60)
          signal.addEventListener('abort', () => clearTimeout(timer))
        })
        seen.push(event.data.n)
      },
    })
  await ask(connection, at, 40)
  // what is aborted never ends here: a stop is patient enough for what runs, however slow the machine is
  const first = await work(connection, at, slow('slow'), { stopGraceMs: 30_000 })
  await eventually('some', () => seen.length >= 4)
  await first.run.stop()
  const before = performance.now()
  await work(connection, at, slow('slow'))
  await eventually('all', () => seen.length >= 40)
  assert.ok(performance.now() - before < 60_000, 'nothing waited for its ack wait')
  assert.equal(
    seen.toSorted((a, b) => a - b),
    upTo(40),
  )
})

test('DL8 what is to be run again, and is not because of a stop, is handed back at its end', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  let fail: (() => void) | undefined
  const seen: number[] = []
  const batched = (handle: (numbers: number[]) => Promise<void>) =>
    defineHandler({
      name: 'batched',
      on: { stream: at.stream.name, events: [Asked] },
      batch: { most: 2, within: '10s', adaptive: false },
      ackWait: '10m',
      handle: (events) => handle(events.map(({ data }) => data.n)),
    })
  const fails = batched(() => new Promise((_, reject) => (fail = () => reject(new Error('all of it')))))
  const { run } = await work(connection, at, fails, { stopGraceMs: 10_000 })
  await ask(connection, at, 2)
  await eventually('it runs', () => fail)
  const stopped = run.stop()
  await systemClock.sleep(200)
  fail?.()
  await stopped
  await work(
    connection,
    at,
    batched((numbers) => Promise.resolve(void seen.push(...numbers))),
  )
  await eventually('all', () => new Set(seen).size === 2 || undefined)
})

test.run()
