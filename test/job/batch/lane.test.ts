// The lane of batches: put together, sent, looked after, settled; on a real server, with the real client and the stand-in.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BatchClient } from '../../../src/job/batch/batch-client.ts'
import { costOf } from '../../../src/job/cost.ts'
import type { JobEvent } from '../../../src/job/job-event.ts'
import { readPrices } from '../../../src/job/prices.ts'
import type { ModelAnswer } from '../../../src/testing/model-server/model-answer.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually } from '../../support/broker.ts'
import { batching, RULES } from './batching.ts'

const test = suite('the lane of batches')
const ids = (count: number): string[] => Array.from({ length: count }, (_, at) => `job ${at}`)
const GOOD = modelAnswers.json({ fraud: true })
const typesOf = (events: readonly JobEvent[]): string => events.map(({ type }) => type.slice(4)).join(' ')
const PRICE = { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25, cacheWrite1h: 2 }

test('BA2 BA4 jobs are put together by number and by age, asked at half price, and each is decided', async () => {
  const { request, lane, until, server } = await batching({
    batches: { missing: 1, polls: 2 },
    answers: ({ text }) => modelAnswers.json({ fraud: text.includes('job 1') }),
  })
  await request(ids(7))
  // all that waits arrives within that time: the first five are a batch by their number
  await lane({ rules: { age: 3_000 } })
  for (const id of ids(7)) {
    const events = await until(id, 'decided')
    assert.is(typesOf(events), 'requested admitted attempt-started completed validated decided')
    const last = events.at(-1)
    assert.equal(last?.type === 'job.decided' && last.decision, { fraud: id === 'job 1' })
    const completed = events.find((event) => event.type === 'job.completed')
    const { usage } = completed?.billed ?? {}
    assert.equal(usage?.terms, ['batch'])
    const of = (terms?: Record<string, number>): number => {
      const models = { 'claude*': { ...PRICE, ...(terms === undefined ? {} : { terms }) } }
      const prices = readPrices({ version: 'v', currency: 'USD', models })
      return costOf(usage as never, 'claude-haiku-5-5', prices).nanos
    }
    assert.is(of({ batch: 0.5 }) * 2, of())
  }
  assert.is(server.totals().calls, 7)
  const batches = new Set(server.calls.map(({ request: { customId } }) => customId?.split('-')[0]))
  assert.is(batches.size, 2, 'five, and two that had waited')
})

test('BA4 what failed in a batch is asked again, what expired too; what is wrong is mended in the next; what never works is a dead letter', async () => {
  const answers: Record<string, ModelAnswer[]> = {
    overloaded: [modelAnswers.overloaded()],
    expired: [modelAnswers.expired()],
    wrong: [modelAnswers.json({ fraud: 'maybe' })],
    invalid: [modelAnswers.error('invalid_request_error')],
    declined: [modelAnswers.refusal()],
  }
  const { request, lane, until, server } = await batching({
    answers: ({ body }) => {
      const text = JSON.stringify(body['messages'])
      const [, which = ''] = /of (\w+)/.exec(text) ?? []
      return answers[which]?.shift() ?? GOOD
    },
  })
  await request(Object.keys(answers))
  await lane()
  const ends = ['decided', 'decided', 'decided', 'dead-lettered', 'dead-lettered']
  const stories = await Promise.all(Object.keys(answers).map((id, at) => until(id, ends[at] as string)))
  const begin = 'requested admitted attempt-started'
  const again = 'admitted attempt-started completed validated decided'
  assert.equal(stories.map(typesOf), [
    `${begin} attempt-failed ${again}`,
    `${begin} attempt-failed ${again}`,
    `${begin} completed invalidated ${again}`,
    `${begin} attempt-failed dead-lettered`,
    `${begin} completed dead-lettered`,
  ])
  const reasons = stories.map((events) => events.find((event) => event.type === 'job.attempt-failed')?.reason)
  assert.equal(reasons, ['overloaded', 'batch-expired', undefined, 'invalid-request', undefined])
  const mended = server.calls.find(({ request: { body } }) => JSON.stringify(body).includes('not what was asked for'))
  assert.ok(mended?.request.customId !== undefined, 'by another batch')
})

test('a job whose deadline is nearer than batches take goes to the lane standard, as its log says, and is in no batch', async () => {
  const { request, lane, job, story, server } = await batching({}, { deadline: '10m' })
  await request(['late'])
  await lane({ rules: { usual: 3_600_000 } })
  const { manager } = await (await import('../../support/broker.ts')).sharedConnection()
  const waiting = await eventually('it is moved', async () => {
    const { state } = await manager.streams.info(job.queue.name, { subjects_filter: '>' })
    return Object.keys(state.subjects ?? {}).find((subject) => subject.endsWith('lane.standard'))
  })
  assert.ok(waiting)
  assert.equal([await story('late'), server.totals().calls], [['requested', 'promoted'], 0])
})

test('BA5 a batch that is refused is not waited for: its jobs go on one by one, or later', async () => {
  const refused = (status: number, type: string, client: BatchClient): BatchClient => {
    let left = 1
    const error = new Error(type)
    return {
      ...client,
      create: (questions, signal) => (left-- > 0 ? Promise.reject(error) : client.create(questions, signal)),
      factsOf: (thrown) =>
        thrown === error
          ? {
              from: 'status',
              status,
              type,
              message: type,
              requestId: undefined,
              header: (name) => (name === 'retry-after-ms' ? '200' : undefined),
            }
          : client.factsOf(thrown),
    }
  }
  const limited = await batching()
  await limited.request(ids(2))
  await limited.lane({ client: (client) => refused(429, 'rate_limit_error', client) })
  for (const id of ids(2))
    assert.is(
      typesOf(await limited.until(id, 'decided')),
      'requested admitted attempt-started attempt-failed admitted attempt-started completed validated decided',
    )
  assert.is(limited.server.totals().billed, 2)
  const wrong = await batching()
  await wrong.request(ids(2))
  await wrong.lane({ client: (client) => refused(400, 'invalid_request_error', client) })
  for (const id of ids(2)) await wrong.until(id, 'attempt-failed')
  const { manager } = await (await import('../../support/broker.ts')).sharedConnection()
  await eventually('both wait in the lane standard', async () => {
    const { state } = await manager.streams.info(wrong.job.queue.name, { subjects_filter: '>' })
    const standard = Object.entries(state.subjects ?? {}).find(([subject]) => subject.endsWith('lane.standard'))
    return standard?.[1] === 2 || undefined
  })
})

test('AC1 the answer of a batch is kept for others who ask the same, for as long as the job says', async () => {
  const { request, lane, until, server } = await batching({}, { cache: '1h' })
  await lane({ rules: { size: 1 } })
  await request(['first'], { text: 'the same' })
  await until('first', 'decided')
  const hit = async (id: string, text: string) => {
    await request([id], { text })
    return (await until(id, 'decided')).find((event) => event.type === 'job.completed')
  }
  const second = await hit('second', 'the same')
  assert.equal([second?.cached?.job, second?.billed.nanos, server.totals().billed], ['first', 0, 1])
  assert.ok((second?.cached?.savedTokens ?? 0) > 0)
  assert.is((await hit('third', 'another one'))?.cached, undefined)
  assert.is(server.totals().billed, 2)
})

test('BA5 a batch that its provider has lost is given up after a while, and its jobs are asked again', async () => {
  const { request, lane, until } = await batching()
  await request(ids(2))
  let lost: string | undefined
  await lane({
    rules: { missing: 500 },
    client: (client) => ({
      ...client,
      create: async (questions, signal) => {
        const made = await client.create(questions, signal)
        lost ??= made.id
        return made
      },
      find: async (id, signal) => (id === lost ? undefined : client.find(id, signal)),
    }),
  })
  for (const id of ids(2)) {
    const events = await until(id, 'decided')
    assert.is(events.find((event) => event.type === 'job.attempt-failed')?.reason, 'batch-gone')
  }
})

test('BA5 of batches of one size that may have been sent at one time, each is found again', async () => {
  const { request, lane, until, story, server } = await batching()
  await lane({
    rules: { size: 2 },
    client: (client) => ({
      ...client,
      create: async (questions, signal) => {
        await client.create(questions, signal)
        throw new Error('the connection has gone')
      },
    }),
  })
  const [early, late] = [ids(4).slice(0, 2), ids(4).slice(2)]
  await request(early)
  await eventually('one is sent', async () => (await story('job 1')).includes('attempt-started') || undefined)
  // whoever looks for the first sees the second too, before anybody looks for that
  await systemClock.sleep(RULES.sending / 4)
  await request(late)
  for (const id of [...early, ...late])
    assert.is(typesOf(await until(id, 'decided')), 'requested admitted attempt-started completed validated decided')
  assert.is(server.totals().billed, 4, 'none is asked twice')
})

test('BA5 a list with a batch whose answers are cut, and with those of others, has ours found behind them', async () => {
  const { request, lane, until, server } = await batching()
  const cut = new Set<string>()
  await request(ids(2))
  await lane({
    rules: { size: 2, missing: 60_000 },
    client: (client) => ({
      ...client,
      create: async (questions, signal) => {
        const [ours, others] = [questions, questions.map((one, at) => ({ ...one, customId: `other-${at}` }))]
        await client.create(ours, signal)
        // both are newer, and as large
        await client.create(others, signal)
        cut.add((await client.create(others, signal)).id)
        throw new Error('the connection has gone')
      },
      answers: async function* (id, signal) {
        if (!cut.has(id)) yield* client.answers(id, signal)
      },
    }),
  })
  for (const id of ids(2))
    assert.is(typesOf(await until(id, 'decided')), 'requested admitted attempt-started completed validated decided')
  assert.is(server.calls.filter(({ request: { customId } }) => customId?.startsWith('other') === false).length, 2)
})

test('BA1 BA3 a batch that is sent when it was given up is canceled, and decides nothing', async () => {
  const { request, lane, until, server, story } = await batching()
  await request(ids(2))
  let send: () => void = () => undefined
  const sending = new Promise<void>((resolve) => (send = resolve))
  let canceled: string | undefined
  const frozen = await lane({
    rules: { size: 2, creating: 120_000, skew: 0 },
    client: (client) => ({
      ...client,
      create: async (questions, signal) => {
        await sending
        return client.create(questions, signal)
      },
      cancel: async (id, signal) => {
        await client.cancel(id, signal)
        canceled = id
      },
    }),
  })
  await eventually('both are in a batch', async () => (await story('job 1')).includes('attempt-started') || undefined)
  await lane({ rules: { sending: 300, creating: 300, skew: 300 } })
  for (const id of ids(2)) await until(id, 'decided')
  assert.is(server.totals().billed, 2)
  send()
  await eventually('it is canceled', () => canceled)
  await eventually('its answers are read', () => server.calls.length >= 2 || undefined)
  for (const id of ids(2)) assert.is((await story(id)).filter((type) => type === 'decided').length, 1)
  assert.is(server.totals().billed, 2, 'what is canceled costs nothing')
  await frozen.stop()
})

test.run()
