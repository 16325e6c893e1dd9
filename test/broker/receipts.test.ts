// Single messages and their receipts, many at a time: what is told of each, whatever becomes of the link.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expectLastSequence } from '../../src/broker/batch.ts'
import { connectBroker } from '../../src/broker/connection.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'

const test = suite('receipts')

function message(root: string, text: string, ...headers: WireMessage['headers']): WireMessage {
  return { subject: `${root}.0.noted`, headers, data: Buffer.from(text) }
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => (isFault(error) ? error.code : `${error}`),
  )
}

test('of a thousand messages in one go each is stored once, in order, with what it says', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { storage: 'memory', partitions: 1 })
  const texts = Array.from({ length: 1_000 }, (_, at) => `${at} ${'ä'.repeat(at % 50)}.`)
  const acks = await Promise.all(texts.map((text) => publishOnce(connection, message(stream.root, text, ['a', text]))))
  assert.equal(
    acks.map(({ sequence }) => sequence),
    texts.map((_, at) => at + 1),
  )
  for (const at of [0, 499, 999]) {
    const stored = await connection.manager.streams.getMessage(stream.name, { seq: at + 1 })
    assert.equal([stored?.string(), stored?.header.get('a')], [texts[at], texts[at]])
  }
})

test('one that is refused keeps no other from being stored', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { storage: 'memory', partitions: 1 })
  const { maxPayload } = connection.server
  const outcomes = await Promise.all([
    codeOf(publishOnce(connection, message(stream.root, 'first', expectLastSequence(0)))),
    codeOf(publishOnce(connection, message(stream.root, 'second', expectLastSequence(7)))),
    codeOf(publishOnce(connection, message(stream.root, 'x'.repeat(maxPayload)))),
    codeOf(publishOnce(connection, message(`none-${stream.root}`, 'nobody takes it'))),
    codeOf(publishOnce(connection, { subject: `${stream.root}.0 noted`, headers: [], data: Buffer.alloc(0) })),
    codeOf(publishOnce(connection, message(stream.root, 'last'))),
  ])
  const refused = ['SEQUENCE_CONFLICT', 'MESSAGE_TOO_LARGE', 'NO_STREAM_FOR_SUBJECT', 'MESSAGE_INVALID']
  assert.equal(outcomes, [undefined, ...refused, undefined])
})

test('what somebody else answers is no receipt, and who does not answer is not waited for', async () => {
  const connection = await sharedConnection()
  const subject = `elsewhere-${process.pid}.0.noted`
  const subscription = connection.nats.subscribe(subject, {
    callback: (_, asked) => (asked.string() === 'silence' ? undefined : void asked.respond('hello')),
  })
  await connection.nats.flush()
  const { headers } = message('', '')
  const send = (text: string, timeoutMs: number) =>
    codeOf(publishOnce(connection, { subject, headers, data: Buffer.from(text) }, timeoutMs))
  assert.equal(await Promise.all([send('talk', 60_000), send('silence', 300)]), ['BROKER_REFUSED', 'BROKER_TIMEOUT'])
  subscription.unsubscribe()
})

test('with the link go the receipts: who waits is told so, and goes on over the next one', async () => {
  const { url } = await sharedServer()
  const link = await linkTo(url)
  const connection = await connectTo(link.url)
  const stream = await freshStream(connection, { storage: 'memory', partitions: 1 })
  link.deafen()
  const sent = codeOf(publishOnce(connection, message(stream.root, 'once'), 60_000))
  await eventually('the server has it', async () => {
    const { state } = await (await sharedConnection()).manager.streams.info(stream.name)
    return state.messages === 1 || undefined
  })
  link.close()
  assert.is(await sent, 'BROKER_UNREACHABLE')
  assert.is(await codeOf(publishOnce(connection, message(stream.root, 'between'))), 'BROKER_UNREACHABLE')
  link.open()
  const again = await eventually('there is a link', () =>
    publishOnce(connection, message(stream.root, 'again')).catch(() => undefined),
  )
  assert.is(again.sequence, 2)
})

test('what may not be published is told at once', async () => {
  const config =
    'accounts { A { jetstream: enabled, users: [{ user: few, password: p, permissions { publish { deny: ["secret.>"] } } }] } }\n'
  const { url } = await ownServer({ config })
  const connection = await connectBroker({
    servers: [url],
    auth: { kind: 'user', user: 'few', password: 'p' },
    name: 'few',
    timeout: 5_000,
    origin: 'test',
  })
  atEnd(() => connection.close())
  assert.is(await codeOf(publishOnce(connection, message('secret', 'no'), 60_000)), 'BROKER_PERMISSION_DENIED')
})

test.run()
