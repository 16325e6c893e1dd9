import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import type { HandlerContext } from '../../src/delivery/handler-context.ts'
import type { HandlerRunOptions } from '../../src/delivery/handler-run-options.ts'
import {
  decideKey,
  keyRefusal,
  readIdempotencyKey,
  requestFingerprint,
  type KeyState,
} from '../../src/delivery/idempotency/decide-key.ts'
import { inbox, withInbox } from '../../src/delivery/idempotency/inbox.ts'
import { KeyStore } from '../../src/delivery/idempotency/key-store.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { sharedConnection } from '../support/broker.ts'
import { retry } from '../../src/delivery/recovery.ts'
import { Asked, letters, place, registry, work, ask } from './running-handlers.ts'
import { workInOrder } from './ordered/running-ordered.ts'
import { eventually } from '../support/broker.ts'

const test = suite('what is done once')

async function storeOf(scope: string, lease = 5_000, clock: Clock = systemClock): Promise<KeyStore> {
  const connection = await sharedConnection()
  const store = new KeyStore({ connection, clock, scope, ttl: 600_000, lease })
  await store.prepare(1)
  return store
}

const state = (): fc.Arbitrary<KeyState | undefined> =>
  fc.option(
    fc.oneof(
      fc.record({
        kind: fc.constant('running' as const),
        fingerprint: fc.constantFrom('a', 'b'),
        owner: fc.string(),
        until: fc.nat(200),
      }),
      fc.record({ kind: fc.constant('done' as const), fingerprint: fc.constantFrom('a', 'b'), result: fc.jsonValue() }),
    ),
    { nil: undefined },
  )

test('ID1 ID2 work begins only where none is remembered and none alive, whatever the state and the time', () => {
  fc.assert(
    fc.property(state(), fc.nat(200), fc.integer({ min: 1, max: 100 }), (known, now, lease) => {
      const decision = decideKey(known, { fingerprint: 'a', owner: 'me', lease, now })
      const same = known === undefined || known.fingerprint === 'a'
      const expected = !same
        ? 'conflict'
        : known?.kind === 'done'
          ? 'answer'
          : known !== undefined && known.until > now
            ? 'in-flight'
            : 'begin'
      assert.is(decision.kind, expected)
      if (decision.kind === 'begin') assert.is(decision.state.until, now + lease)
    }),
  )
})

test('a key is a quoted text, and a request without one, with another content or too early says so with its status', () => {
  assert.is(readIdempotencyKey('"8e03978e"'), '8e03978e')
  assert.is(readIdempotencyKey(String.raw`"a\"b"`), 'a"b')
  assert.is(readIdempotencyKey('plain'), 'plain')
  for (const [header, code] of [
    [undefined, 'IDEMPOTENCY_KEY_MISSING'],
    ['  ', 'IDEMPOTENCY_KEY_MISSING'],
    ['""', 'IDEMPOTENCY_KEY_INVALID'],
    ['"half', 'IDEMPOTENCY_KEY_INVALID'],
    ['x'.repeat(256), 'IDEMPOTENCY_KEY_INVALID'],
  ] as const)
    assert.throws(
      () => readIdempotencyKey(header),
      (error: { code: string }) => error.code === code,
    )
  assert.is(keyRefusal({ kind: 'conflict' }).code, 'IDEMPOTENCY_KEY_REUSED')
  assert.is(keyRefusal({ kind: 'in-flight', wait: 10 }).code, 'IDEMPOTENCY_IN_FLIGHT')
  assert.is.not(requestFingerprint('a', 'bc'), requestFingerprint('ab', 'c'))
})

test('ID1 of many with one key one begins; who dies is followed when his lease is over, and comes too late', async () => {
  const scope = `t${process.pid}-${Math.random()}`
  // it stands still: no lease is over because the machine was slow
  let now = systemClock.now()
  const clock: Clock = { ...systemClock, now: () => now }
  const stores = await Promise.all(Array.from({ length: 8 }, () => storeOf(scope, 300, clock)))
  const begun = await Promise.all(stores.map((store) => store.begin('k', 'f')))
  const first = begun.flatMap((one) => (one.kind === 'begin' ? [one.held] : []))
  assert.is(first.length, 1)
  assert.is(begun.filter(({ kind }) => kind === 'in-flight').length, 7)
  now += 350
  const next = await stores[1]?.begin('k', 'f')
  assert.is(next?.kind, 'begin')
  assert.not(await stores[0]?.finish(first[0] as never, 'late'))
  if (next?.kind === 'begin') assert.ok(await stores[1]?.finish(next.held, { status: 201 }))
  assert.equal(await stores[2]?.begin('k', 'f'), { kind: 'answer', result: { status: 201 } })
  assert.is((await stores[3]?.begin('k', 'other'))?.kind, 'conflict')
})

test('ID2 an event that comes again has no second effect, and gives what it gave; what failed is done again', async () => {
  const connection = await sharedConnection()
  const { stream, work: beside } = await place(connection)
  let effects = 0
  const declaration = defineHandler({
    name: `inbox-${process.pid}`,
    on: { stream: stream.name, events: [Asked] },
    idempotent: inbox({ ttl: '1h' }),
    emits: { stream: stream.name, events: [Asked], loops: true },
    handle: async () => {
      effects += 1
      await systemClock.sleep(100)
      if (effects === 1) throw new Error('once')
      return Asked({ n: effects, key: 'k' })
    },
  })
  const options = { connection, declaration, registry, stream, work: beside, clock: systemClock }
  const { declaration: own } = await withInbox(options as unknown as HandlerRunOptions)
  const context = { idempotencyKey: String(Math.random()), signal: new AbortController().signal }
  const handle = async (): Promise<unknown> => {
    assert.is(own.run.kind, 'single')
    if (own.run.kind !== 'single') return
    return own.run.handle({} as StoredEvent, context as HandlerContext)
  }
  await handle().catch(() => undefined)
  const [one, other] = (await Promise.all([handle(), handle()])) as [{ data: unknown }, { data: unknown }]
  assert.is(effects, 2)
  assert.equal(other.data, one.data)
  assert.equal(one.data, { n: 2, key: 'k' })
})

test('ID2 a handler with an inbox handles each event once', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const handled: number[] = []
  const declaration = defineHandler({
    name: `inboxed-${process.pid}`,
    on: { stream: at.stream.name, events: [Asked] },
    idempotent: inbox({ ttl: '1h' }),
    handle: ({ data: { n } }) => void handled.push(n),
  })
  const { run } = await work(connection, at, declaration)
  await ask(connection, at, 20)
  await eventually('all are done', () => run.status.counts.done === 20)
  assert.equal(
    handled.toSorted((one, two) => one - two),
    Array.from({ length: 20 }, (_, n) => n),
  )
})

for (const order of ['none', 'key'] as const)
  test(`ID1 waiting for who has the key is no attempt: one attempt that hangs uses up no others, with order: '${order}'`, async () => {
    const connection = await sharedConnection()
    const at = await place(connection)
    const attempts: number[] = []
    const declaration = defineHandler({
      name: `hangs-${process.pid}-${order}`,
      on: { stream: at.stream.name, events: [Asked] },
      order,
      timeout: '300ms',
      ackWait: '2s',
      recovery: retry({ attempts: 2 }),
      idempotent: inbox({ ttl: '1h' }),
      handle: async (_, { attempt }) => {
        attempts.push(attempt)
        if (attempts.length === 1) await new Promise(() => undefined)
      },
    })
    await (order === 'key' ? workInOrder(connection, at, declaration) : work(connection, at, declaration))
    await ask(connection, at, 1)
    await eventually('it is done again', () => attempts.length === 2 || undefined)
    assert.equal(attempts, [1, 2])
    assert.equal(await letters(connection, at), [])
  })

test.run()
