import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishBatch } from '../../src/broker/batch.ts'
import { connectBroker, type ConnectionStatus } from '../../src/broker/connection.ts'
import type { Authentication, ConnectionSettings } from '../../src/broker/connection-settings.ts'
import { Feed } from '../../src/broker/feed.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer, startTestServer, temporaryDirectory } from '../support/nats.ts'
import { faultOf, numbered, readNumbers, upTo } from '../support/numbered.ts'
import { standIn } from '../support/stand-in.ts'

const test = suite('a connection')

const ACCOUNTS = `
accounts {
  FULL {
    jetstream: enabled
    users: [
      { user: all, password: right }
      { user: few, password: right, permissions {
        publish { allow: ["$JS.API.>", "*.k1.>"] }, subscribe { allow: ["mine.>", "_INBOX.>"] } } }
      { user: deaf, password: right, permissions { publish: ">", subscribe { allow: ["_INBOX.api.>"] } } }
    ]
  }
  BARE { users: [{ user: bare, password: right }] }
}
no_auth_user: all
`

let withAccounts: ReturnType<typeof startTestServer> | undefined

async function accountsUrl(): Promise<string> {
  return (await (withAccounts ??= startTestServer({ config: ACCOUNTS }))).url
}

function settings(url: string, more: Partial<ConnectionSettings> = {}): ConnectionSettings {
  return { servers: [url], auth: { kind: 'none' }, name: 'test', timeout: 20_000, origin: '--server', ...more }
}

async function connectAs(user: string, more: Partial<ConnectionSettings> = {}) {
  const auth: Authentication = { kind: 'user', user, password: 'right' }
  const connection = await connectBroker(settings(await accountsUrl(), { auth, ...more }))
  atEnd(() => connection.close())
  return connection
}

test('where nobody listens is said at once, with the address and where it comes from', async () => {
  const started = performance.now()
  const error = await faultOf(connectBroker(settings('nats://127.0.0.1:1')))
  assert.is(error.code, 'BROKER_UNREACHABLE')
  assert.match(error.detail, 'nats://127.0.0.1:1 from --server')
  assert.ok(performance.now() - started < 15_000, 'no time-out was waited for')
})

test('a name that nobody knows is unreachable too', async () => {
  const error = await faultOf(connectBroker(settings('nats://no-such-host.invalid:4222', { timeout: 1_000 })))
  assert.is(error.code, 'BROKER_UNREACHABLE')
})

test('a port where something listens and says nothing is given up after the timeout', async () => {
  const url = await standIn({ version: '', answer: () => null, mute: true })
  assert.is((await faultOf(connectBroker(settings(url, { timeout: 200 })))).code, 'BROKER_UNREACHABLE')
})

test('one of several servers is enough', async () => {
  const { url } = await sharedServer()
  const connection = await connectBroker(settings(url, { servers: ['nats://127.0.0.1:1', url] }))
  assert.is(connection.server.apiLevel >= 4, true)
  await connection.close()
})

test('a wrong password, an unknown user and a missing one are refused as such', async () => {
  const url = (await startTestServer({ config: 'authorization { user: u, password: right }' })).url
  const attempts: Authentication[] = [
    { kind: 'user', user: 'u', password: 'wrong' },
    { kind: 'user', user: 'nobody', password: 'right' },
    { kind: 'token', token: 'wrong' },
    { kind: 'none' },
  ]
  for (const auth of attempts)
    assert.is((await faultOf(connectBroker(settings(url, { auth })))).code, 'BROKER_AUTH_FAILED', auth.kind)
  const right: Authentication = { kind: 'user', user: 'u', password: 'right' }
  await (await connectBroker(settings(url, { auth: right }))).close()
})

test('credentials that are no credentials are refused as such, with the file', async () => {
  const { url } = await sharedServer()
  const file = join(await temporaryDirectory(), 'not.creds')
  await writeFile(file, 'hello')
  for (const auth of [
    { kind: 'creds', file },
    { kind: 'nkey', file },
    { kind: 'creds', file: `${file}.absent` },
    { kind: 'nkey', file: `${file}.absent` },
  ] as const) {
    const error = await faultOf(connectBroker(settings(url, { auth })))
    assert.is(error.code, 'BROKER_AUTH_FAILED')
    assert.match(error.detail, auth.file)
  }
})

test('an account without JetStream is said to have none', async () => {
  const bare: Authentication = { kind: 'user', user: 'bare', password: 'right' }
  assert.is((await faultOf(connectBroker(settings(await accountsUrl(), { auth: bare })))).code, 'JETSTREAM_DISABLED')
})

test('a server without JetStream is said to have none', async () => {
  const url = await standIn({ version: '2.15.1', answer: () => undefined })
  assert.is((await faultOf(connectBroker(settings(url)))).code, 'JETSTREAM_DISABLED')
})

test('an old server is refused with both numbers, before anything is asked of it', async () => {
  const asked: string[] = []
  for (const api of [
    { total: 1, errors: 0 },
    { level: 3, total: 1, errors: 0 },
  ]) {
    const answer = (subject: string) => {
      asked.push(subject)
      return { type: 'io.nats.jetstream.api.v1.account_info_response', memory: 0, storage: 0, limits: {}, api }
    }
    const error = await faultOf(connectBroker(settings(await standIn({ version: '2.10.27', answer }))))
    assert.is(error.code, 'BROKER_TOO_OLD')
    assert.match(error.detail, '2.10.27')
  }
  assert.equal(new Set(asked), new Set(['$JS.API.INFO']))
})

test('a server whose JetStream does not answer is a timeout', async () => {
  let asked = 0
  const answer = (): null => {
    asked += 1
    return null
  }
  const url = await standIn({ version: '2.15.1', answer })
  // on a machine that stands still there may not even be a connection in so short a time
  let code = ''
  for (const timeout of [200, 2_000, 20_000]) {
    code = (await faultOf(connectBroker(settings(url, { timeout })))).code
    if (asked > 0) break
  }
  assert.is(code, 'BROKER_TIMEOUT')
})

test('a publish that is denied is refused at once, and the others are stored', async () => {
  const all = await connectAs('all')
  const stream = await freshStream(all)
  const few = await connectAs('few')
  const publisher = new Publisher(few, { clock: systemClock, ackTimeout: 50_000 })
  const started = performance.now()
  const outcomes = await Promise.allSettled(upTo(14).map((n) => publisher.publish(numbered(stream, n))))
  assert.ok(performance.now() - started < 40_000, 'no time-out was waited for')
  const codes = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'stored' : outcome.reason.code))
  assert.equal(
    codes,
    upTo(14).map((n) => (n % 7 === 1 ? 'stored' : 'BROKER_PERMISSION_DENIED')),
  )
  publisher.close()
})

test('P5 among many, those that are denied are refused, and the others are stored in order', async () => {
  const all = await connectAs('all')
  const stream = await freshStream(all)
  const publisher = new Publisher(await connectAs('few'), { clock: systemClock })
  // one of seven keys is allowed
  const numbers = upTo(7_000).filter((n) => n % 7 === 1 || n % 600 === 2 || n === 6_999)
  const outcomes = await Promise.allSettled(numbers.map((n) => publisher.publish(numbered(stream, n))))
  const codes = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'stored' : outcome.reason.code))
  assert.equal(
    codes,
    numbers.map((n) => (n % 7 === 1 ? 'stored' : 'BROKER_PERMISSION_DENIED')),
  )
  assert.equal(
    await readNumbers(all, stream),
    numbers.filter((n) => n % 7 === 1),
  )
  publisher.close()
})

test('a batch with a message that is denied says so, wherever it stands, and stores nothing', async () => {
  const all = await connectAs('all')
  const stream = await freshStream(all)
  const few = await connectAs('few')
  for (const numbers of [
    [2, 1, 1],
    [1, 2, 1],
    [1, 1, 2],
  ]) {
    const batch = numbers.map((n) => ({ ...numbered(stream, n), headers: [] }))
    const error = await faultOf(publishBatch(few, batch))
    assert.is(error.code, 'BROKER_PERMISSION_DENIED')
    assert.match(error.detail, `${stream.root}.k2.counted.t2`)
  }
  assert.is((await all.manager.streams.info(stream.name)).state.messages, 0)
})

test('a feed that may not acknowledge fails with a code instead of coming to a halt', async () => {
  const all = await connectAs('all')
  const stream = await freshStream(all)
  await new Publisher(all, { clock: systemClock }).publish(numbered(stream, 1))
  let failure: MillraceError | undefined
  const feed: Feed = new Feed(await connectAs('few'), {
    stream: stream.name,
    filters: [],
    start: { kind: 'sequence', sequence: 1 },
    durable: 'd',
    clock: systemClock,
    onMessages: (messages) => feed.acknowledge(messages),
    onFailure: (error) => (failure = error),
  })
  assert.is((await eventually('failure', () => failure)).code, 'BROKER_PERMISSION_DENIED')
})

test('where receipts may not arrive, publishing is refused instead of waiting for ever', async () => {
  const all = await connectAs('all')
  const stream = await freshStream(all)
  const allowed = await connectAs('few', { inboxPrefix: 'mine' })
  const publisher = new Publisher(allowed, { clock: systemClock })
  await publisher.publish(numbered(stream, 1))
  publisher.close()
  const error = await faultOf(connectAs('few', { inboxPrefix: 'others' }))
  assert.is(error.code, 'BROKER_PERMISSION_DENIED')
})

test('replies come below the inbox prefix of the settings', async () => {
  const connection = await connectAs('all', { inboxPrefix: 'mine' })
  assert.match(connection.newInbox(), /^mine\./)
  assert.match((await sharedConnection()).newInbox(), /^_INBOX\./)
})

test('a link that breaks and comes back is heard of, once each', async () => {
  const link = await linkTo((await sharedServer()).url)
  const connection = await connectTo(link.url)
  const heard: ConnectionStatus['kind'][] = []
  const stop = connection.onStatus(({ kind }) => heard.push(kind))
  link.cut()
  await eventually('back', () => heard.length === 2)
  stop()
  await connection.close()
  assert.equal(heard, ['disconnected', 'connected'])
  assert.is(connection.state.kind, 'closed')
})

test('closing ends, whether the server answers, is away or has stopped answering; also twice', async () => {
  const server = await ownServer()
  const [first, second, third] = [
    await connectBroker(settings(server.url)),
    await eventually('connected', () => connectBroker(settings(server.url, { timeout: 500 })).catch(() => undefined)),
    await connectBroker(settings(server.url)),
  ]
  await Promise.all([first.close(), first.close()])
  await first.close()
  server.pause()
  await second.close()
  server.resume()
  await server.kill()
  await third.close()
  for (const { nats, state } of [first, second, third]) {
    assert.is(nats.isClosed(), true)
    assert.is(state.kind, 'closed')
  }
})

test('closing sends what was published before', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const stream = await freshStream(await sharedConnection())
  for (const n of upTo(100)) connection.nats.publish(numbered(stream, n).subject, 'x')
  await connection.close()
  const { manager } = await sharedConnection()
  await eventually('stored', async () => (await manager.streams.info(stream.name)).state.messages === 100)
})

test.run()
