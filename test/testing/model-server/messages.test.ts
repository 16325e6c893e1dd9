// The stand-in, asked by the real SDK: what is right.
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { asking, clientOf, MODEL, rejection } from './asking.ts'

const test = suite('the stand-in for the Messages API')

test('MS1 every answer says that it comes from a stand-in: header, id, its own text, errors', () =>
  asking({ answers: [] }, async ({ client, ask, server }) => {
    const params = { model: MODEL, max_tokens: 9, messages: [{ role: 'user' as const, content: 'hello' }] }
    const { data, response, request_id } = await client.messages.create(params).withResponse()
    assert.is(response.headers.get('x-millrace-stand-in'), 'model-server')
    assert.match(data.id, /standin/)
    assert.match(String(request_id), /standin/)
    assert.match(JSON.stringify(data.content), /stand-in for the Messages API/)
    const error = await rejection(ask('x', { messages: [] }))
    assert.is((error['headers'] as Headers).get('x-millrace-stand-in'), 'model-server')
    assert.match(error.message, /a stand-in says so/)
    assert.is(server.totals().calls, 1)
  }))

test('a script is answered in its order, and then with answers of its own', () =>
  asking({ answers: [modelAnswers.text('one'), modelAnswers.overloaded()] }, async ({ ask }) => {
    const first = await ask()
    assert.equal(first.content, [{ type: 'text', text: 'one', citations: null }])
    assert.is(first.stop_reason, 'end_turn')
    assert.is((await rejection(ask()))['status'], 529)
    assert.match(JSON.stringify((await ask()).content), /stand-in/)
  }))

test('a function answers by what it is asked, and knows which attempt it is', () =>
  asking(
    {
      answers: ({ text, system, repeat, model, maxTokens }) =>
        modelAnswers.json({ text, system, repeat, model, maxTokens }),
    },
    async ({ ask }) => {
      const said = async (text: string) => {
        const { content } = await ask(text, { system: [{ type: 'text', text: 'be brief' }] })
        return JSON.parse((content[0] as { text: string }).text) as unknown
      }
      const base = { system: 'be brief', model: MODEL, maxTokens: 1_000 }
      assert.equal(await said('a'), { text: 'a', ...base, repeat: 1 })
      assert.equal(await said('a'), { text: 'a', ...base, repeat: 2 })
      assert.equal(await said('b'), { text: 'b', ...base, repeat: 1 })
    },
  ))

test('a stream has the same message as one piece: text, thinking, tools, usage', () => {
  const content = [
    { type: 'thinking', thinking: 'an amount that differs' },
    { type: 'text', text: 'Überweisung 😀 geprüft, und das ist länger als ein Stück' },
    { type: 'tool_use', name: 'block_card', input: { card: 'c-1', because: ['velocity', 'country'] } },
  ] as const
  const answers = () => modelAnswers.message(content, { deltaLength: 7 })
  return asking({ answers }, async ({ ask, stream }) => {
    const { id: _, content: whole, ...rest } = await ask()
    const { id: __, content: streamed, ...others } = await stream().finalMessage()
    const named = (blocks: readonly object[]) => blocks.map((block) => ({ ...block, id: 'any' }))
    assert.equal(named(streamed), named(whole))
    assert.equal({ ...others, _request_id: 0 }, { ...rest, _request_id: 0, parsed_output: null })
    assert.is(rest.stop_reason, 'tool_use')
    assert.ok(rest.usage.output_tokens > 10)
    assert.ok((rest.usage.output_tokens_details?.thinking_tokens ?? 0) > 0)
  })
})

// the SDK takes bounds out of the schema, and checks them itself
test('structured output is what the schema asks for, and any answer may be scripted', () => {
  const Decision = z.object({
    fraud: z.boolean(),
    score: z.number(),
    reason: z.string(),
    action: z.enum(['block', 'allow']),
    tags: z.array(z.string()),
  })
  const scripted = { fraud: true, score: 88, reason: 'velocity', action: 'block', tags: ['a', 'b'] }
  return asking({ answers: [modelAnswers.json(scripted)] }, async ({ client }) => {
    const parse = () =>
      client.messages.parse({
        model: MODEL,
        max_tokens: 1_000,
        messages: [{ role: 'user', content: 'is it fraud?' }],
        output_config: { format: zodOutputFormat(Decision) },
      })
    assert.equal((await parse()).parsed_output, scripted)
    const made = (await parse()).parsed_output
    assert.is(Decision.safeParse(made).success, true)
    assert.is(made?.reason, 'stand-in')
  })
})

test('tokens are counted as they are billed, and a cached prompt shows in the usage', () =>
  asking({}, async ({ client, server }) => {
    const system = [
      { type: 'text' as const, text: 'rules '.repeat(400), cache_control: { type: 'ephemeral' as const } },
    ]
    const params = { model: MODEL, system, messages: [{ role: 'user' as const, content: 'is it fraud?' }] }
    const { input_tokens: counted } = await client.messages.countTokens(params)
    const first = await client.messages.create({ ...params, max_tokens: 100 })
    const second = await client.messages.create({ ...params, max_tokens: 100 })
    const { input_tokens: input, cache_creation_input_tokens: written, cache_creation: lives } = first.usage
    assert.is(input + (written ?? 0), counted)
    assert.ok((written ?? 0) > 500 && lives?.ephemeral_5m_input_tokens === written)
    assert.is(second.usage.cache_read_input_tokens, written)
    assert.is(second.usage.cache_creation_input_tokens, 0)
    assert.is(server.totals().inputTokens, 2 * counted)
    assert.is(server.totals().outputTokens, first.usage.output_tokens + second.usage.output_tokens)
  }))

test('a request that the API would not take is refused in its words, and costs nothing', () =>
  asking({}, async ({ ask, client, server }) => {
    const bad = await rejection(ask('x', { max_tokens: 1.5 }))
    assert.is(bad['status'], 400)
    assert.is(bad['type'], 'invalid_request_error')
    assert.match(bad.message, 'max_tokens')
    assert.is((await rejection(client.models.retrieve('claude-none')))['status'], 404)
    const keyless = await fetch(`${server.url}/v1/messages`, { method: 'POST', body: '{}' })
    assert.is(keyless.status, 401)
    assert.is(server.totals().billed, 0)
  }))

test('a stopped server leaves nothing open, whatever it was about', async () => {
  const server = await startModelServer({ answers: () => modelAnswers.stalled() })
  const { messages } = clientOf(server)
  const asked = rejection(
    messages.stream({ model: MODEL, max_tokens: 9, messages: [{ role: 'user', content: 'x' }] }).finalMessage(),
  )
  while (server.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await server.stop()
  assert.ok(await asked)
})

test.run()
