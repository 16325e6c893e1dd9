import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixed } from '../../src/delivery/backoff.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { openGate, type Gate } from '../../src/delivery/gate.ts'
import { retry } from '../../src/delivery/recovery.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { upTo } from '../support/numbered.ts'
import { ask, Asked, consumerOf, letters, place, Urgent, work } from './running-handlers.ts'

const test = suite('batches, lanes and gates')

test('a batch is recovered event by event: who was named, or who is to blame when all of it throws', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const sizes: number[] = []
  const done = new Set<number>()
  const { run } = await work(
    connection,
    at,
    defineHandler({
      name: 'batch',
      on: { stream: at.stream.name, events: [Asked] },
      batch: { most: 20, within: '50ms' },
      recovery: retry({ attempts: 2, immediate: 0, backoff: fixed(50) }),
      handle: async (events, { fail }) => {
        sizes.push(events.length)
        if (events.some(({ data }) => data.n === 7)) throw new Error('seven')
        for (const event of events)
          if (event.data.n === 11) fail(event, new Error('eleven'))
          else done.add(event.data.n)
      },
    }),
  )
  await ask(connection, at, 60)
  const all = await eventually('two letters', async () => {
    const found = await letters(connection, at)
    return found.length === 2 && done.size === 58 ? found : undefined
  })
  assert.equal(all.map(({ detail }) => detail).toSorted(), ['eleven', 'seven'])
  assert.ok(all.every(({ attempts }) => attempts.length === 2))
  assert.ok(Math.max(...sizes) <= 20)
  await eventually('nothing runs', () => run.status.running === 0 || undefined)
})

test('20 what is run again alone, of a batch that has failed, goes through the gate as the first time', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  let passed = 0
  let begun = 0
  const gate: Gate = { ...openGate, wait: () => void (passed += 1) }
  await work(
    connection,
    at,
    defineHandler({
      name: 'gated-batch',
      on: { stream: at.stream.name, events: [Asked] },
      batch: { most: 4, within: '20s', adaptive: false },
      recovery: retry({ attempts: 3, immediate: 2 }),
      handle: async (events, { of }) => {
        begun += events.length
        if (events.length > 1) throw new Error('together')
        if (events.some((event) => event.data.n === 2 && of(event).attempt < 3)) throw new Error('not yet')
      },
    }),
    { gate },
  )
  await ask(connection, at, 4)
  await eventually('all', async () => {
    const { ack_floor } = await consumerOf(connection, at.stream.name, 'handler-gated-batch')
    return ack_floor.stream_seq === 4 || undefined
  })
  assert.ok(begun >= 10, `${begun}`)
  assert.is(passed, begun)
})

test('a lane that is urgent does not wait for the backlog of another', async () => {
  // urgent ones may be late where a machine stands still: they are not so each time
  let before = Infinity
  for (let tries = 3; tries > 0 && before >= 40; tries--) before = await beforeUrgent()
  assert.ok(before < 40, `${before} came before them`)
})

/** How many came until five urgent ones had come, which were behind about 90 others. */
async function beforeUrgent(): Promise<number> {
  const connection = await sharedConnection()
  const at = await place(connection)
  const order: string[] = []
  const declaration = defineHandler({
    name: 'lanes',
    on: { stream: at.stream.name, events: [Asked, Urgent] },
    lanes: [{ name: 'urgent', events: [Urgent], weight: 8 }],
    concurrency: 2,
    handle: async (event, { lane }) => {
      order.push(`${lane}:${event.type}`)
      await systemClock.sleep(20)
    },
  })
  await ask(connection, at, 100)
  await work(connection, at, declaration)
  await eventually('some', () => order.length >= 10 || undefined)
  await ask(connection, at, 5, { contract: Urgent })
  const from = order.length
  await eventually('urgent ones', () => order.filter((one) => one === 'urgent:thing.urged').length === 5 || undefined)
  const before = order.length - from
  await eventually('all', () => order.length === 105 || undefined)
  return before
}

test('while its gate is closed a handler holds nothing, and no attempt counts; it goes on when it opens', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const listeners = new Set<() => void>()
  const state = { open: true }
  const gate: Gate = {
    ...openGate,
    get open() {
      return state.open
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const seen: number[] = []
  const attempts = new Set<number>()
  const set = (open: boolean): void => {
    state.open = open
    for (const listener of listeners) listener()
  }
  const declaration = defineHandler({
    name: 'gated',
    on: { stream: at.stream.name, events: [Asked] },
    concurrency: 4,
    handle: async (event, { attempt }) => {
      await systemClock.sleep(5)
      attempts.add(attempt)
      seen.push(event.data.n)
    },
  })
  const { run } = await work(connection, at, declaration, { gate })
  await ask(connection, at, 20)
  await eventually('some', () => seen.length >= 4 || undefined)
  set(false)
  await eventually('handed back', async () => {
    const { num_ack_pending } = await consumerOf(connection, at.stream.name, 'handler-gated')
    return run.status.held === 0 && num_ack_pending <= 4 ? true : undefined
  })
  const stood = seen.length
  await systemClock.sleep(200)
  assert.is(seen.length, stood)
  assert.is(run.status.stall?.code, 'GATE_CLOSED')
  set(true)
  await eventually('all', () => new Set(seen).size === 20 || undefined)
  assert.equal(
    seen.toSorted((a, b) => a - b),
    upTo(20),
  )
  assert.equal([...attempts], [1])
})

/** One that tells nobody. */
function silentGate(state: { open: boolean }, onListen: () => void = () => undefined): Gate {
  return {
    ...openGate,
    get open() {
      return state.open
    },
    onChange: () => {
      onListen()
      return () => undefined
    },
  }
}

test('a gate that opens while a handler starts is seen, and what is in hand is looked at whenever it is renewed', async () => {
  const connection = await sharedConnection()
  const seen: number[] = []
  const begin = async (ackWait: string, gate: Gate) => {
    const at = await place(connection)
    const on = { stream: at.stream.name, events: [Asked] }
    const declaration = defineHandler({ name: 'begins', on, ackWait, handle: ({ data }) => void seen.push(data.n) })
    await ask(connection, at, 1, { from: seen.length })
    const { run } = await work(connection, at, declaration, { gate })
    return { at, run }
  }
  const state = { open: false }
  // what came first has come, and nobody listens yet
  await begin(
    '10m',
    silentGate(state, () => (state.open = true)),
  )
  await eventually('begun at the start', () => seen.length === 1 || undefined)
  const { at, run } = await begin('3s', silentGate(state))
  await eventually('begun as any other', () => seen.length === 2 || undefined)
  state.open = false
  await ask(connection, at, 1, { from: 2 })
  await eventually('in hand', () => run.status.held === 1 || undefined)
  state.open = true
  await eventually('begun when it is renewed', () => seen.length === 3 || undefined)
  assert.equal(seen, upTo(3))
})

test.run()
