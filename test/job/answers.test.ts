// Answers of the past: what is the same question, what an entry means, and the bucket on a real server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import { writeBucket } from '../../src/broker/history-bucket.ts'
import { readLast } from '../../src/broker/last-message.ts'
import type { AnswerFlight, AnswerScope, CachedAnswer } from '../../src/job/answer-cache.ts'
import { answerKey } from '../../src/job/answer-key.ts'
import { ANSWER_BUCKET, BucketAnswers, type BucketAnswersOptions } from '../../src/job/bucket-answers.ts'
import { decideEntry, encodeEntry } from '../../src/job/cache-entry.ts'
import type { ModelAsk } from '../../src/job/model-client.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'

const test = suite('answers of the past')

let asked = 0
/** A question that no other test asks. */
function question(more: Partial<ModelAsk> = {}): ModelAsk {
  const user = [{ type: 'text' as const, text: `question ${process.pid} ${(asked += 1)}` }]
  return { model: 'claude-haiku-5-5', maxTokens: 100, system: [], user, schema: { type: 'object' }, ...more }
}
const scope: AnswerScope = { context: 'SHOP', tenant: 'acme', ttl: 60_000 }
const answer: CachedAnswer = {
  text: '{}',
  stopReason: 'end_turn',
  model: 'claude-haiku-5-5',
  savedTokens: 12,
  job: 'j1',
}

async function opened(options: Partial<BucketAnswersOptions> = {}): Promise<BucketAnswers> {
  const cache = new BucketAnswers({
    connection: await sharedConnection(),
    clock: systemClock,
    now: () => Date.now(),
    log: silentLog,
    ...options,
  })
  await cache.prepare(1)
  return cache
}

async function flight(cache: BucketAnswers, ask: ModelAsk, of = scope): Promise<AnswerFlight> {
  const found = await cache.find(ask, of)
  assert.is(found.kind, 'miss')
  return found as AnswerFlight
}

test('AC1 a question is another one when anything of it is, or whose it is', () => {
  const text = fc.string({ maxLength: 6 })
  const block = fc.record({ type: fc.constant('text' as const), text })
  const asks = fc.record({
    model: text,
    maxTokens: fc.integer({ min: 1, max: 9 }),
    system: fc.array(block, { maxLength: 2 }),
    user: fc.array(block, { maxLength: 2 }),
    schema: fc.option(fc.constantFrom({ type: 'object' }, { type: 'object', title: 'x' }), { nil: undefined }),
  })
  const whose = fc.record({ context: text, tenant: text })
  fc.assert(
    fc.property(asks, asks, whose, whose, (a, b, of, other) => {
      const same = JSON.stringify([a, a.schema ?? null, of]) === JSON.stringify([b, b.schema ?? null, other])
      assert.is(answerKey(a, of) === answerKey(b, other), same)
    }),
  )
  const [ask, text2] = [question(), { text: '{', wrong: 'no JSON' }]
  assert.not.equal(answerKey(ask, scope), answerKey({ ...ask, repair: text2 }, scope))
  assert.not.equal(
    answerKey(ask, scope),
    answerKey(ask, scope, 'http://127.0.0.1:8080'),
    'a stand-in answers for itself',
  )
  assert.match(answerKey(ask, scope), /^[0-9a-f]{64}\.[0-9a-f]{64}$/)
})

test('AC1 AC3 what an entry means: an answer that is young enough, a flight while it lasts; what cannot be read is no answer', () => {
  const look = { now: 10_000, ttl: 5_000, pause: 500 }
  const kept = (at: number) => encodeEntry({ kind: 'answer', at, answer })
  const flying = (until: number) => encodeEntry({ kind: 'flight', owner: 'w', until })
  assert.equal(decideEntry(undefined, look), { kind: 'ask', broken: false })
  assert.equal(decideEntry(new Uint8Array(0), look), { kind: 'ask', broken: false })
  assert.equal(decideEntry(kept(5_001), look), { kind: 'hit', answer })
  assert.equal(decideEntry(kept(5_000), look), { kind: 'ask', broken: false })
  assert.equal(decideEntry(flying(10_200), look), { kind: 'flying', again: 10_200 })
  assert.equal(decideEntry(flying(60_000), look), { kind: 'flying', again: 10_500 })
  assert.equal(decideEntry(flying(10_000), look), { kind: 'ask', broken: false })
  for (const broken of ['{', 'null', '{"kind":"answer","at":1}', '{"kind":"flight","until":99999}', '[]'])
    assert.equal(decideEntry(Buffer.from(broken), look), { kind: 'ask', broken: true }, broken)
})

test('AC1 what is kept for a question that was asked long before is found where it was asked, and nowhere else', async () => {
  const [provider, standIn] = [await opened(), await opened({ elsewhere: 'http://127.0.0.1:8080' })]
  const ask = question()
  await standIn.keep(standIn.keyOf(ask, scope), scope.ttl, answer)
  assert.equal(await standIn.find(ask, scope), { kind: 'hit', answer })
  await (await flight(provider, ask)).land()
})

test('AC1 AC2 one asks, the others wait and then have its answer; other tenants and contexts have none', async () => {
  const [one, two] = [await opened(), await opened()]
  const ask = question()
  const found = await Promise.all([one.find(ask, scope), two.find(ask, scope), one.find(ask, scope)])
  const flights = found.filter(({ kind }) => kind === 'miss') as AnswerFlight[]
  assert.equal([flights.length, found.filter(({ kind }) => kind === 'flying').length], [1, 2])
  await flights[0]?.store(answer)
  for (const cache of [one, two]) assert.equal(await cache.find(ask, scope), { kind: 'hit', answer })
  for (const other of [{ tenant: 'evil' }, { context: 'OTHER' }]) {
    const miss = await flight(two, ask, { ...scope, ...other })
    await miss.land()
  }
  const { hits, savedTokens } = one.counts
  assert.equal([hits, savedTokens], [1, 12])
  assert.equal([one.counts.misses + two.counts.misses, one.counts.waits + two.counts.waits], [3, 2])
})

test('AC2 a flight that lands gives its place to the next one at once, and its end counts once', async () => {
  const cache = await opened()
  const ask = question()
  const first = await flight(cache, ask)
  await first.land()
  const second = await flight(cache, ask)
  await first.store(answer) // it has ended: the flight of another one is not touched
  assert.is((await cache.find(ask, scope)).kind, 'flying')
  await second.store(answer)
  assert.is((await cache.find(ask, scope)).kind, 'hit')
})

test('AC2 a flight is kept up for as long as a call takes, and whoever lost it stores nothing over the next one', async () => {
  const connection = await sharedConnection()
  const cache = await opened({ lease: 1_200, pause: 50 })
  const ask = question()
  const held = await flight(cache, ask)
  const key = answerKey(ask, scope)
  const entry = () => readLast(connection, `KV_${ANSWER_BUCKET}`, `$KV.${ANSWER_BUCKET}.${key}`)
  const began = (await entry())?.sequence ?? 0
  await eventually('it is kept up', async () => ((await entry())?.sequence ?? 0) > began)
  // frozen for longer than its lease, and another one has begun
  const other = encodeEntry({ kind: 'flight', owner: 'other', until: Date.now() + 60_000 })
  const taken = await eventually('another one has it', async () => {
    const expected = (await entry())?.sequence ?? 0
    return writeBucket(connection, ANSWER_BUCKET, { key, data: other, expected })
  })
  await held.store(answer)
  assert.is((await entry())?.sequence, taken)
})

test('AC3 an answer is forgotten by the server after its time', async () => {
  const cache = await opened()
  const ask = question()
  await (await flight(cache, ask, { ...scope, ttl: 1_000 })).store(answer)
  const connection = await sharedConnection()
  const subject = `$KV.${ANSWER_BUCKET}.${answerKey(ask, scope)}`
  await eventually('it is gone', async () => (await readLast(connection, `KV_${ANSWER_BUCKET}`, subject)) === undefined)
  await (await flight(cache, ask)).land()
})

test('what is too large, or broken, is no error: it is said, counted, and the question is asked', async () => {
  const warned: string[] = []
  const log = { ...silentLog, warn: (_: object, message: string) => void warned.push(message) }
  const cache = await opened({ log })
  const connection = await sharedConnection()
  const large = question()
  await (await flight(cache, large)).store({ ...answer, text: 'x'.repeat(connection.server.maxPayload) })
  await (await flight(cache, large)).land()
  const broken = question()
  const key = answerKey(broken, scope)
  await writeBucket(connection, ANSWER_BUCKET, { key, data: Buffer.from('{"kind":"answer"'), expected: 0 })
  await (await flight(cache, broken)).store(answer)
  assert.is((await cache.find(broken, scope)).kind, 'hit')
  assert.equal([cache.counts.notKept, cache.counts.broken], [1, 1])
  assert.match(warned.join('\n'), /too large[^]*cannot be read/)
})

test.run()
