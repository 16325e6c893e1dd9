import { Webhook } from 'standardwebhooks'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixed } from '../../src/delivery/backoff.ts'
import { retry } from '../../src/delivery/recovery.ts'
import { enableAll, readDisabled } from '../../src/edge/webhook/endpoints.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { ask, letters, place } from '../delivery/running-handlers.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { receiver, SECRETS, send, webhook } from './receiving.ts'

const test = suite('webhooks')
const connection = await sharedConnection()
const quick = retry({ attempts: 3, immediate: 0, backoff: fixed('50ms') })
const pause = (ms: number): Promise<void> => systemClock.sleep(ms)

test('SK1 the id is the same in each attempt, and every secret signs each anew, as the library of the specification verifies', async () => {
  const where = await place(connection)
  const to = await receiver((nth) => (nth === 1 ? 500 : 200))
  const slow = retry({ attempts: 3, immediate: 0, backoff: fixed('1100ms') })
  await send(connection, where, webhook(where, { url: to.url, secrets: ['NEW', 'OLD'], recovery: slow }))
  await ask(connection, where, 1)
  await eventually('two attempts', () => to.received.length === 2 || undefined)
  const [first, second] = to.received
  assert.is(first?.headers['webhook-id'], second?.headers['webhook-id'])
  assert.is.not(first?.headers['webhook-timestamp'], second?.headers['webhook-timestamp'])
  assert.not.match(String(first?.headers['webhook-id']), /\./)
  for (const { headers, body } of to.received)
    for (const secret of Object.values(SECRETS)) {
      const verified = new Webhook(secret).verify(body, headers as Record<string, string>)
      assert.equal((verified as { data: unknown }).data, { n: 0, key: 'k0' })
      assert.is((verified as { type: string }).type, 'thing.asked')
      assert.throws(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>))
    }
  assert.equal(await letters(connection, where), [])
})

test('SK2 a redirect is no success, and nobody follows it', async () => {
  const where = await place(connection)
  const inner = await receiver()
  const to = await receiver((_, response) => void response.writeHead(307, { location: inner.url }).end())
  await send(connection, where, webhook(where, { url: to.url, recovery: quick }))
  await ask(connection, where, 1)
  const [letter] = await eventually('a dead letter', async () => {
    const all = await letters(connection, where)
    return all.length === 1 ? all : undefined
  })
  assert.is(letter?.code, 'WEBHOOK_REFUSED')
  assert.match(letter?.detail ?? '', /HTTP 307/)
  assert.is(to.received.length, 3)
  assert.is(inner.received.length, 0)
})

test('SK2 the connection goes to the address that was looked at; one that is not allowed beside it is refused', async () => {
  const where = await place(connection)
  const to = await receiver()
  const url = `http://rebinding.example:${to.port}/hook`
  let asked = 0
  // the name has no address that the system would find: only what was looked at can be connected to
  const resolve = (): Promise<{ address: string; family: 4 | 6 }[]> => {
    asked += 1
    const own = { address: '127.0.0.1', family: 4 as const }
    return Promise.resolve(asked === 1 ? [own] : [own, { address: '::ffff:10.0.0.1', family: 6 }])
  }
  await send(connection, where, webhook(where, { url, recovery: quick }), { resolve })
  await ask(connection, where, 1)
  await eventually('received', () => to.received.length === 1 || undefined)
  assert.is(to.received[0]?.headers.host, `rebinding.example:${to.port}`)
  assert.is(asked, 1)
  await ask(connection, where, 1, { from: 1 })
  const [letter] = await eventually('refused', async () => {
    const all = await letters(connection, where)
    return all.length === 1 ? all : undefined
  })
  assert.equal([letter?.code, letter?.attempts.length, to.received.length], ['WEBHOOK_ADDRESS_REFUSED', 1, 1])
})

test('Retry-After is waited for, though the schedule is shorter', async () => {
  const where = await place(connection)
  const to = await receiver((nth, response) => {
    response.writeHead(nth === 1 ? 429 : 200, { 'retry-after': '1' }).end()
  })
  await send(connection, where, webhook(where, { url: to.url, recovery: quick }))
  await ask(connection, where, 1)
  await eventually('two attempts', () => to.received.length === 2 || undefined)
  const [first, second] = to.received.map(({ at }) => at)
  assert.ok((second ?? 0) - (first ?? 0) >= 950)
})

test('SK3 after 410 no process calls the endpoint, events wait, and they are sent when it is enabled', async () => {
  const where = await place(connection)
  let gone = true
  const to = await receiver(() => (gone ? 410 : 200))
  const declaration = webhook(where, { url: to.url, recovery: quick })
  const { opened, run } = await send(connection, where, declaration)
  await ask(connection, where, 1)
  await eventually('closed', () => !opened.gate.open || undefined)
  const other = await send(connection, where, declaration)
  assert.not(other.opened.gate.open)
  await ask(connection, where, 5, { from: 1 })
  await pause(1_500)
  assert.is(to.received.length, 1)
  await eventually('it says why', () => /answered 410/.test(run.status.stall?.detail ?? ''))
  assert.is((await readDisabled(connection, systemClock, declaration.name)).length, 1)
  gone = false
  assert.is((await enableAll(connection, systemClock, declaration.name)).length, 1)
  const bodies = (): Set<string> => new Set(to.received.map(({ body }) => body))
  await eventually('all are sent', () => (to.received.length >= 7 && bodies().size === 6) || undefined)
  assert.equal(await letters(connection, where), [])
})

test('SK3 410 counts, and Retry-After, though the answer breaks off behind it', async () => {
  const where = await place(connection)
  const to = await receiver((nth, response) => {
    response.writeHead(nth === 1 ? 429 : 410, { 'content-length': '100', 'retry-after': '1' })
    response.write('cut')
    setTimeout(() => response.destroy(), 50)
  })
  const { opened } = await send(connection, where, webhook(where, { url: to.url, recovery: quick }))
  await ask(connection, where, 1)
  await eventually('closed', () => !opened.gate.open || undefined)
  assert.is(to.received.length, 2)
  const [first, second] = to.received
  assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 1_000, 'it waits as it was told')
})

test('SK3 of several endpoints only the one that is gone is left alone', async () => {
  const where = await place(connection)
  const to = await receiver((_, __, { path }) => (path.startsWith('/1') ? 410 : 200))
  const url = ({ data }: { data: { n: number } }): string => `http://127.0.0.1:${to.port}/${data.n % 2}?token=t`
  await send(connection, where, webhook(where, { url, recovery: quick, concurrency: 1 }))
  await ask(connection, where, 6)
  await eventually('all have their fate', async () => (await letters(connection, where)).length === 3 || undefined)
  await eventually(
    'the others',
    () => to.received.filter(({ path }) => path.startsWith('/0')).length === 3 || undefined,
  )
  const codes = (await letters(connection, where)).map(({ code }) => code)
  assert.equal([...new Set(codes)], ['WEBHOOK_DISABLED'])
  assert.not.match((await letters(connection, where))[0]?.detail ?? '', /token/)
})

test('an endpoint that never answers, or never ends its answer, costs one attempt each', async () => {
  const where = await place(connection)
  const to = await receiver((nth, response) => {
    if (nth === 1) return
    response.writeHead(500)
    const more = (): void => void (response.destroyed || (response.write('x'.repeat(8_192)), setImmediate(more)))
    more()
  })
  // several, for on a busy machine an answer may come too late
  const some = retry({ attempts: 6, immediate: 0, backoff: fixed('10ms') })
  await send(connection, where, webhook(where, { url: to.url, recovery: some, timeout: '700ms' }))
  await ask(connection, where, 1)
  const [letter] = await eventually('a dead letter', async () => {
    const all = await letters(connection, where)
    return all.length === 1 ? all : undefined
  })
  assert.match(letter?.attempts.join(' ') ?? '', /^\S*HANDLER_TIMEOUT.*WEBHOOK_REFUSED/)
  assert.is(letter?.attempts.length, 6)
  assert.ok(to.received.length <= 6)
})

test('what is larger than it may be is a dead letter at once', async () => {
  const where = await place(connection)
  const to = await receiver()
  await send(connection, where, webhook(where, { url: to.url, mostBytes: 20 }))
  await ask(connection, where, 1)
  const found = await eventually('a dead letter', async () => (await letters(connection, where))[0])
  assert.equal([found.code, to.received.length], ['WEBHOOK_TOO_LARGE', 0])
})

test.run()
