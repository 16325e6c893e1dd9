// Events that wait for their time, on a server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { emittedMessages } from '../../src/delivery/emitted.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import { later } from '../../src/event/when.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { DelayedEvents } from '../../src/schedule/delayed-events.ts'
import { listDelayed } from '../../src/schedule/list-delayed.ts'
import { delayedSubject } from '../../src/broker/delayed-subject.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { readAll } from '../support/events.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'
import { faultOf } from '../support/numbered.ts'

const test = suite('events for later')
const Reminded = defineEvent('order.reminded', { data: z.object({ n: z.string() }), key: ({ n }) => n })
const Placed = defineEvent('order.placed', { data: z.object({ n: z.string() }), key: ({ n }) => n })

interface Fresh {
  readonly connection: Connection
  readonly stream: StreamDeclaration
  readonly delayed: DelayedEvents
}

async function fresh(own?: Connection): Promise<Fresh> {
  const connection = own ?? (await sharedConnection())
  const stream = await freshStream(connection, { storage: own === undefined ? 'memory' : 'file' })
  return { connection, stream, delayed: opened(connection, stream) }
}

function opened(connection: Connection, stream: StreamDeclaration): DelayedEvents {
  const delayed = new DelayedEvents({
    connection,
    stream,
    events: [Reminded, Placed],
    clock: systemClock,
    newId: systemId,
  })
  atEnd(() => Promise.resolve(delayed.close()))
  return delayed
}

/** What is in the stream: `type n`. */
async function stored({ connection, stream }: Pick<Fresh, 'connection' | 'stream'>): Promise<string[]> {
  const messages = await readAll(connection, stream.name, [`${stream.root}.>`])
  return messages.map(({ subject, data }) => {
    const { n } = JSON.parse(Buffer.from(data).toString()) as { n: string }
    return `${subject.split('.').at(-1)} ${n}`
  })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Whatever was set has come, or was cancelled. */
async function noneWaits({ connection, stream }: Pick<Fresh, 'connection' | 'stream'>): Promise<void> {
  await eventually('none waits', async () => {
    const { total } = await listDelayed(connection, systemClock, stream.name, { limit: 1 })
    return total === 0 || undefined
  })
}

/** Does what has to be done before something is due, which is `ms` later: again, with more time, where a busy machine came too late. */
async function inGoodTime<T extends { readonly due: number }>(act: (ms: number) => Promise<T>): Promise<T> {
  for (let ms = 400; ; ms *= 4) {
    const done = await act(ms)
    if (Date.now() < done.due - 50 || ms > 20_000) return done
  }
}

test('DE1 an event comes at its time, not before, in the partition of its key, with the id that was told', async () => {
  const { connection, stream, delayed } = await fresh()
  const before = Date.now()
  const set = await delayed.scheduleEvent(Reminded({ n: 'a' }), { in: 600, id: 'reminder a.*> é' })
  assert.is(set.outcome, 'set')
  assert.ok(set.due > before + 200 && set.due < Date.now() + 1_000, `${set.due - before} ms`)
  await pause(250)
  const early = await stored({ connection, stream })
  // a machine that is busy may have come to it after its time
  if (Date.now() < set.due - 50) assert.equal(early, [])
  const [message] = await eventually('it comes', async () => {
    const all = await readAll(connection, stream.name, [`${stream.root}.>`])
    return all.length > 0 ? all : undefined
  })
  assert.ok((message?.storedAt ?? 0) >= set.due - 1)
  assert.is(decodeURIComponent(message?.headers.get('ce-id') ?? ''), set.eventId)
  assert.is(message?.headers.get('ce-time'), new Date(set.due).toISOString())
  assert.match(message?.subject ?? '', new RegExp(`^${stream.root}\\.[0-3]\\.order\\.reminded$`))
})

test('DE1 38 a server that is killed forgets none and comes with each once', async () => {
  const server = await ownServer()
  const world = await fresh(await connectTo(server.url))
  const names = Array.from({ length: 50 }, (_, at) => `r${at}`)
  // due before, while and after the server is away
  await world.delayed.store({ schedule: names.map((n, at) => ({ event: Reminded({ n }), in: at * 40, id: n })) })
  await pause(300)
  await server.kill()
  await pause(500)
  await server.restart()
  await eventually('all are there', async () => (await stored(world)).length >= 50 || undefined, 30_000)
  await pause(300)
  assert.equal((await stored(world)).sort(), names.map((n) => `reminded ${n}`).sort())
})

test('DE2 DE3 setting again replaces, cancelling cancels, and each is told', async () => {
  const { world, due, outcomes } = await inGoodTime(async (ms) => {
    const world = await fresh()
    const { delayed } = world
    const first = await delayed.scheduleEvent(Reminded({ n: 'first' }), { in: ms, id: 'x' })
    const second = await delayed.scheduleEvent(Reminded({ n: 'second' }), { in: ms + 100, id: 'x' })
    await delayed.scheduleEvent(Reminded({ n: 'never' }), { in: ms, id: 'y' })
    const cancels = [await delayed.cancelScheduled('y'), await delayed.cancelScheduled('y')]
    return { world, due: first.due, outcomes: [first, second, ...cancels].map(({ outcome }) => outcome) }
  })
  const { delayed } = world
  assert.equal(outcomes, ['set', 'replaced', 'cancelled', 'not-pending'])
  await eventually('the second comes', async () => (await stored(world)).length > 0 || undefined)
  await pause(due + 500 - Date.now())
  assert.equal(await stored(world), ['reminded second'])
  assert.is((await delayed.cancelScheduled('x')).outcome, 'not-pending')
})

test('DE2 what is required refuses everything of a change', async () => {
  const world = await fresh()
  const { delayed } = world
  await delayed.scheduleEvent(Reminded({ n: 'a' }), { in: '1h', id: 'a' })
  const refused = [
    delayed.store({
      events: [Placed({ n: '1' })],
      schedule: [{ event: Reminded({ n: 'b' }), in: '1h', id: 'a', require: 'absent' }],
    }),
    delayed.store({
      events: [Placed({ n: '2' })],
      schedule: [{ event: Reminded({ n: 'b' }), in: '1h', id: 'b', require: 'pending' }],
    }),
    delayed.store({ events: [Placed({ n: '3' })], cancel: ['a', { id: 'c', require: 'pending' }] }),
  ]
  const codes = await Promise.all(refused.map(async (one) => (await faultOf(one)).code))
  assert.equal(codes, ['DELAYED_EVENT_EXISTS', 'DELAYED_EVENT_NOT_PENDING', 'DELAYED_EVENT_NOT_PENDING'])
  assert.equal(await stored(world), [])
  assert.is((await delayed.cancelScheduled('a')).outcome, 'cancelled')
})

test('DE2 an event, one that is set and one that is cancelled are stored together', async () => {
  const { world, due, changed } = await inGoodTime(async (ms) => {
    const world = await fresh()
    const { due } = await world.delayed.scheduleEvent(Reminded({ n: 'late' }), { in: ms, id: 'late' })
    const changed = await world.delayed.store({
      events: [Placed({ n: 'now' }, { id: 'order-1' })],
      schedule: [{ event: Reminded({ n: 'soon' }), in: '200ms', id: 'soon' }],
      cancel: ['late'],
    })
    return { world, due, changed }
  })
  const { delayed } = world
  assert.equal(changed.cancelled, [{ id: 'late', outcome: 'cancelled' }])
  assert.equal(changed.events, ['order-1'])
  await eventually('the one that is soon comes', async () => (await stored(world)).length > 1 || undefined)
  await pause(due + 500 - Date.now())
  assert.equal(await stored(world), ['placed now', 'reminded soon'])
  // the same command again: its event is there, so nothing of it is done
  const again = faultOf(
    delayed.store({
      events: [Placed({ n: 'now' }, { id: 'order-1' })],
      schedule: [{ event: Reminded({ n: 'x' }), in: '1ms', id: 'x' }],
    }),
  )
  assert.is((await again).code, 'BATCH_REFUSED')
  assert.equal(await stored(world), ['placed now', 'reminded soon'])
})

test('DE2 what is not as its contract, its time or its id says is refused before anything is stored', async () => {
  const { delayed, connection, stream } = await fresh()
  const wrong = { ...Reminded({ n: 'a' }), data: { n: 5 } } as never
  const cases: readonly (readonly [string, Promise<unknown>])[] = [
    ['EVENT_DATA_INVALID', delayed.scheduleEvent(wrong, { in: '1s', id: 'a' })],
    ['DELAYED_EVENT_INVALID', delayed.scheduleEvent(Reminded({ n: 'a' }), { id: 'a' })],
    ['DELAYED_EVENT_INVALID', delayed.scheduleEvent(Reminded({ n: 'a' }), { at: '2027-01-01T00:00:00', id: 'a' })],
    ['DELAYED_EVENT_INVALID', delayed.scheduleEvent(Reminded({ n: 'a' }), { in: '1s', id: '' })],
    [
      'DELAYED_EVENT_INVALID',
      delayed.scheduleEvent({ ...Reminded({ n: 'a' }), type: 'other' } as never, { in: '1s', id: 'a' }),
    ],
    ['DELAYED_EVENT_INVALID', delayed.store({ cancel: ['a', 'a'] })],
    ['DURATION_INVALID', delayed.scheduleEvent(Reminded({ n: 'a' }), { in: 'soon', id: 'a' })],
  ]
  for (const [code, promise] of cases) assert.is((await faultOf(promise)).code, code)
  assert.is((await readAll(connection, stream.name, ['>'])).length, 0)
})

/** What many write who have no condition on it: they delete it, and say so. */
async function naiveCancel({ connection, stream }: Fresh, id: string): Promise<{ outcome: string }> {
  await connection.manager.streams.purge(stream.name, { filter: delayedSubject(stream.name, id) })
  return { outcome: 'cancelled' }
}

test('DE3 a cancel that meets the firing: what is told to be cancelled never comes, what was not is there', async () => {
  const told = async (cancel: (world: Fresh, id: string) => Promise<{ outcome: string }>): Promise<string[]> => {
    const world = await fresh()
    const names = Array.from({ length: 300 }, (_, at) => `c${at}`)
    const due = Date.now() + 700
    await world.delayed.store({ schedule: names.map((n, at) => ({ event: Reminded({ n }), at: due + at, id: n })) })
    await eventually('the first have come', async () => (await stored(world)).length > 0 || undefined)
    const outcomes = new Map<string, string>()
    for (let at = 0; at < names.length; at += 10)
      await Promise.all(names.slice(at, at + 10).map(async (n) => outcomes.set(n, (await cancel(world, n)).outcome)))
    await noneWaits(world)
    await pause(700)
    const came = new Set((await stored(world)).map((text) => text.split(' ')[1]))
    return names.filter((n) => came.has(n) === (outcomes.get(n) === 'cancelled'))
  }
  assert.equal(await told(({ delayed }, id) => delayed.cancelScheduled(id)), [])
  assert.ok((await told(naiveCancel)).length > 0, 'the naive one says of some that they are cancelled, and they come')
})

test('DE1 what a handler emits for later waits, once however often it is handled, and comes', async () => {
  const event = { id: 'e1', source: '/shop', correlationId: undefined } as StoredEvent
  const { world, early } = await inGoodTime(async (ms) => {
    const world = await fresh()
    const declaration = { name: 'remind', emits: { stream: world.stream.name, events: [Reminded] } }
    const due = Date.now() + ms
    const emit = (draft: EventDraft): readonly WireMessage[] =>
      emittedMessages([Reminded({ n: 'now' }), draft], event, { declaration, to: world.stream, time: Date.now() })
    for (let handled = 0; handled < 2; handled += 1)
      for (const message of emit(later(Reminded({ n: 'later' }), { in: ms, id: 'r1' })))
        await publishOnce(world.connection, message)
    return { world, due, early: await stored(world) }
  })
  assert.equal(early, ['reminded now'])
  const both = await eventually('it comes', async () => {
    const all = await stored(world)
    return all.length > 1 ? all : undefined
  })
  await pause(300)
  assert.equal(both, ['reminded now', 'reminded later'])
  assert.is((await stored(world)).length, 2)
  assert.throws(() => later(Reminded({ n: 'x' }), {}), /DELAYED_EVENT_INVALID/)
})

test('DE2 over a link that is cut again and again each change is stored once', async () => {
  const direct = await sharedConnection()
  const { stream } = await fresh()
  const link = await linkTo((await sharedServer()).url)
  const delayed = opened(await connectTo(link.url), stream)
  const cuts = (async () => {
    for (let cut = 0; cut < 6; cut += 1) {
      await pause(170)
      link.cut()
    }
  })()
  const done = await Promise.allSettled(
    Array.from({ length: 40 }, async (_, at) => {
      await pause(at * 25)
      const n = `k${at}`
      await delayed.store({ events: [Placed({ n })], schedule: [{ event: Reminded({ n }), in: '1ms', id: n }] })
    }),
  )
  await cuts
  await noneWaits({ connection: direct, stream })
  await pause(400)
  const counts = new Map<string, number>()
  for (const text of await stored({ connection: direct, stream })) counts.set(text, (counts.get(text) ?? 0) + 1)
  for (const [at, { status }] of done.entries())
    for (const what of ['placed', 'reminded']) if (status === 'fulfilled') assert.is(counts.get(`${what} k${at}`), 1)
  assert.ok([...counts.values()].every((count) => count === 1))
  for (const one of done) if (one.status === 'rejected') assert.ok(isFault(one.reason), String(one.reason))
})

test.run()
