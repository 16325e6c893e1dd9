import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { request } from 'node:http'
import { defineHttpSource, type HttpSourceOptions } from '../../src/edge/http/define-http-source.ts'
import { serveHttpSource } from '../../src/edge/http/serve-http-source.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { Asked, Done, place, type Place } from '../delivery/running-handlers.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { readAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('HTTP sources')
const connection = await sharedConnection()

async function start(where: Place, options: Partial<HttpSourceOptions<[typeof Asked]>> = {}, own = connection) {
  const to = { stream: where.stream.name, events: [Asked] as [typeof Asked] }
  const name = where.stream.name.toLowerCase()
  const declaration = defineHttpSource<[typeof Asked]>({ name, to, listen: { port: 0 }, ...options })
  const shared = { clock: systemClock, log: silentLog, stream: where.stream, newId: systemId }
  const run = serveHttpSource({ connection: own, ...shared, declaration })
  atEnd(() => run.stop())
  const url = await eventually('it listens', () => {
    const { position } = run.status
    return typeof position === 'string' && position.startsWith('http') ? position : undefined
  })
  const post = async (body: string, type = 'application/json', headers: Record<string, string> = {}) => {
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': type, ...headers } })
    const problem = (await answer.json()) as { code?: string; errors?: { pointer: string }[]; stored?: number }
    return { status: answer.status, headers: answer.headers, ...problem }
  }
  return { run, url, post }
}

const stored = async ({ stream }: Place) => readAll(connection, stream.name, [`${stream.root}.>`])
const event = (n: unknown, more: object = {}): object => ({ type: 'thing.asked', data: { n, key: 'k' }, ...more })

test('SO5 one event, batches and NDJSON are stored in every form of CloudEvents before 202 is said', async () => {
  const where = await place(connection)
  const { post } = await start(where)
  const full = { specversion: '1.0', id: 'full', source: '/test', ...event(4, { time: '2026-01-01T00:00:00Z' }) }
  const answers = [
    await post(JSON.stringify(event(0))),
    await post('{"n":1,"key":"k"}'),
    await post(JSON.stringify([event(2), event(3)])),
    await post(JSON.stringify(full), 'application/cloudevents+json; charset=utf-8'),
    await post(JSON.stringify([full]), 'application/cloudevents-batch+json'),
    await post(`${JSON.stringify(event(5))}\n\n${JSON.stringify(event(6))}\n`, 'application/x-ndjson'),
    await post('{"n":7,"key":"k"}', 'application/json', {
      'ce-specversion': '1.0',
      'ce-id': 'binary',
      'ce-source': '/test',
      'ce-type': 'thing.asked',
      'ce-subject': 'Euro%20%E2%82%AC',
    }),
  ]
  assert.equal(
    answers.map((one) => [one.status, one.stored]),
    [1, 1, 2, 1, 0, 2, 1].map((many) => [202, many]),
  )
  const all = await stored(where)
  const numbers = all.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { n: number }).n)
  assert.equal(numbers.sort(), [0, 1, 2, 3, 4, 5, 6, 7])
  assert.is(all.find(({ headers }) => headers.get('ce-id') === 'binary')?.headers.get('ce-subject'), 'Euro%20%E2%82%AC')
})

test('SO5 of a request with something wrong nothing is stored, and a problem document says what', async () => {
  const where = await place(connection)
  const { post, url } = await start(where, {
    mostBytes: 500,
    mostEvents: 3,
    authorize: (headers) => headers['x-no'] === undefined,
  })
  const batch = await post(JSON.stringify([event(0), event('x'), event(1, { type: Done.type })]))
  assert.equal([batch.status, batch.code], [422, 'EVENT_DATA_INVALID'])
  assert.match(batch.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.equal(
    batch.errors?.map(({ pointer }) => pointer.split('/')[1]),
    ['1', '2'],
  )
  const codes = [
    await post('{'),
    await post('<a/>', 'text/xml'),
    await post(JSON.stringify(event(0)).padEnd(600)),
    await post('[1,2,3,4]'),
    await post('{}', 'application/json', { 'x-no': '1' }),
  ].map(({ status, code }) => `${status} ${code ?? ''}`)
  assert.equal(codes, [
    '422 SOURCE_INPUT_INVALID',
    '415 SOURCE_TYPE_UNSUPPORTED',
    '413 SOURCE_REQUEST_TOO_LARGE',
    '413 SOURCE_REQUEST_TOO_LARGE',
    '401 SOURCE_UNAUTHORIZED',
  ])
  assert.is((await fetch(url)).status, 405)
  assert.is((await fetch(`${url}/other`, { method: 'POST' })).status, 404)
  // a body of a length that nobody has told
  const endless = await new Promise<number>((resolve, reject) => {
    const own = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } }, ({ statusCode }) =>
      resolve(statusCode ?? 0),
    )
    own.on('error', reject)
    own.write('x'.repeat(400))
    own.write('x'.repeat(400))
  })
  assert.is(endless, 413)
  assert.is((await stored(where)).length, 0)
})

test('SO5 a request that is sent again with its Idempotency-Key is stored once, with the first answer', async () => {
  const where = await place(connection)
  const { post } = await start(where)
  const key = { 'idempotency-key': '"a-key"' }
  const first = await post(JSON.stringify([event(0), event(1)]), 'application/json', key)
  const again = await post(JSON.stringify([event(0), event(1)]), 'application/json', key)
  assert.equal([first.status, first.stored, again.status, again.stored], [202, 2, 202, 2])
  const other = await post(JSON.stringify(event(2)), 'application/json', key)
  assert.equal([other.status, other.code], [422, 'IDEMPOTENCY_KEY_REUSED'])
  assert.is((await stored(where)).length, 2)
})

test('SO6 without a server it answers 503 and says when to come back', async () => {
  const server = await startTestServer()
  const own = await connectTo(server.url)
  const { post } = await start(await place(own), {}, own)
  await own.close()
  const refused = await post(JSON.stringify(event(0)))
  assert.equal([refused.status, refused.code, refused.headers.get('retry-after')], [503, 'BROKER_UNREACHABLE', '1'])
})

test.run()
