// The stand-in, asked by the real SDK: message batches and limits per minute.
import type { MessageBatchIndividualResponse } from '@anthropic-ai/sdk/resources/messages'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { RateLimits } from '../../../src/testing/model-server/rate-limits.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { asking, MODEL, rejection, type Asking } from './asking.ts'

const test = suite('batches and limits of the stand-in')

const requests = (...ids: string[]) =>
  ids.map((id) => ({
    custom_id: id,
    params: { model: MODEL, max_tokens: 100, messages: [{ role: 'user' as const, content: id }] },
  }))

async function results({ client }: Asking, id: string): Promise<MessageBatchIndividualResponse[]> {
  const found: MessageBatchIndividualResponse[] = []
  for await (const one of await client.messages.batches.results(id)) found.push(one)
  return found
}

test('a batch is not found at first, then in progress, then has a result for each custom_id, not in their order', () =>
  asking(
    {
      batches: { missing: 1, polls: 1 },
      answers: ({ customId }) => {
        if (customId === 'late') return modelAnswers.expired()
        if (customId === 'bad') return modelAnswers.error('invalid_request_error')
        return modelAnswers.text(`for ${customId}`)
      },
    },
    async (at) => {
      const { batches } = at.client.messages
      const { id, processing_status } = await batches.create({ requests: requests('a', 'late', 'bad') })
      assert.is(processing_status, 'in_progress')
      assert.is((await rejection(batches.retrieve(id)))['status'], 404)
      assert.is((await batches.retrieve(id)).processing_status, 'in_progress')
      const ended = await batches.retrieve(id)
      assert.is(ended.processing_status, 'ended')
      assert.equal(ended.request_counts, { processing: 0, succeeded: 1, errored: 1, canceled: 0, expired: 1 })
      const found = await results(at, id)
      assert.equal(
        found.map(({ custom_id, result }) => [custom_id, result.type]),
        [
          ['bad', 'errored'],
          ['late', 'expired'],
          ['a', 'succeeded'],
        ],
      )
      const { result } = found[2] as MessageBatchIndividualResponse
      assert.is(result.type === 'succeeded' && result.message.usage.service_tier, 'batch')
      assert.is(at.server.totals().billed, 1)
      await batches.delete(id)
      assert.is((await rejection(batches.retrieve(id)))['status'], 404)
    },
  ))

test('a batch that is cancelled bills nothing; batches are listed, the newest first; ids that are there twice are refused', () =>
  asking({ batches: { polls: 9 } }, async (at) => {
    const { batches } = at.client.messages
    const first = await batches.create({ requests: requests('a', 'b') })
    const second = await batches.create({ requests: requests('c') })
    assert.is((await batches.cancel(first.id)).processing_status, 'canceling')
    assert.is((await batches.retrieve(first.id)).request_counts.canceled, 2)
    assert.equal(
      (await results(at, first.id)).map(({ result }) => result.type),
      ['canceled', 'canceled'],
    )
    const page = await batches.list({ limit: 1 })
    assert.equal(
      page.data.map(({ id }) => id),
      [second.id],
    )
    assert.is(page.has_more, true)
    assert.is(at.server.totals().billed, 0)
    assert.is((await rejection(batches.create({ requests: requests('a', 'a') })))['status'], 400)
    assert.is((await rejection(results(at, second.id))).message === '', false)
  }))

test('what is over the limit of a minute is answered with 429 and retry-after, and fits when that time has passed', () => {
  const clock = new VirtualClock(1_000)
  return asking({ clock, limits: { requests: 2, outputTokens: 3_000 } }, async ({ client, ask, server }) => {
    const params = { model: MODEL, max_tokens: 1_000, messages: [{ role: 'user' as const, content: 'x' }] }
    const { response } = await client.messages.create(params).withResponse()
    assert.is(response.headers.get('anthropic-ratelimit-requests-limit'), '2')
    assert.is(response.headers.get('anthropic-ratelimit-requests-remaining'), '1')
    assert.ok(Date.parse(response.headers.get('anthropic-ratelimit-requests-reset') ?? '') > 1_000)
    await ask()
    const error = await rejection(ask())
    assert.is(error['status'], 429)
    assert.is((error['headers'] as Headers).get('retry-after'), '30')
    await clock.pass(30_000)
    await ask()
    assert.is((await rejection(ask('y', { max_tokens: 100, model: MODEL })))['status'], 429)
    await ask('other', { model: 'claude-sonnet-5-5' })
    assert.is(server.totals().overLimit, 2)
  })
})

test('over any time no more is let through than a minute’s worth and what comes in that time', () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 20_000 }), tokens: fc.integer({ min: 1, max: 400 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const limits = new RateLimits({ inputTokens: 600 })
      let [now, taken] = [0, 0]
      for (const { wait, tokens } of steps) {
        now += wait
        if (limits.take('m', { requests: 1, inputTokens: tokens, outputTokens: 0 }, now) === 0) taken += tokens
        assert.ok(taken <= 600 + now / 100 + 1e-6)
      }
    }),
    { numRuns: 50 },
  )
})

test.run()
