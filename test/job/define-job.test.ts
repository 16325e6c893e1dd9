// What a job may be declared as. Pure.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { defineJob } from '../../src/job/define-job.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'

const test = suite('defineJob')

const Requested = defineEvent('triage.requested', {
  data: z.object({
    amount: z.number(),
    customer: z.object({ name: z.string() }),
    items: z.array(z.object({ title: z.string() })),
    labels: z.record(z.string(), z.string()),
  }),
})
const promptOf = (user: string) => definePrompt({ id: 'triage', version: 1, user })
const valid = {
  name: 'triage',
  on: { stream: 'SHOP', event: Requested },
  prompt: promptOf('{{customer.name}} paid {{amount}} for {{items.0.title}}, {{labels.any}}.'),
  result: z.object({ fraud: z.boolean() }),
  model: 'claude-haiku-5-5',
  maxTokens: 100,
}

test('fills in what is usual: the standard lane, one tenant, no deadline, all requests from the first', () => {
  const job = defineJob(valid)
  assert.equal([job.laneOf({}), job.tenantOf({}), job.deadline], ['standard', 'default', undefined])
  assert.equal([job.requests.name, job.requests.on.stream, job.requests.on.from], ['job-triage', 'SHOP', 'first'])
  assert.equal((job.resultSchema as { required?: unknown }).required, ['fraud'])
  assert.is(defineJob({ ...valid, deadline: '10m' }).deadline, 600_000)
})

test('says with a code which field is wrong', () => {
  const wrong: readonly (readonly [pointer: string, options: object])[] = [
    ['/name', { name: 'no good' }],
    ['/name', { name: 'x'.repeat(61) }],
    ['/on/stream', { on: { event: Requested } }],
    ['/on/event', { on: { stream: 'SHOP', event: 'triage.requested' } }],
    ['/on/from', { on: { stream: 'SHOP', event: Requested, from: 'last' } }],
    ['/prompt', { prompt: 'Is it fraud?' }],
    ['/prompt', { prompt: promptOf('{{customer.nmae}} paid') }],
    ['/prompts', { prompts: promptOf('{{amount}}') }],
    ['/prompts/0', { prompts: ['Is it fraud?'] }],
    ['/prompts/0', { prompts: [promptOf('again {{amount}}')] }],
    ['/prompts/0', { prompts: [{ ...promptOf('{{customer.nmae}}'), version: 9 }] }],
    ['/result', { result: { fraud: 'boolean' } }],
    ['/model', { model: ' ' }],
    ['/maxTokens', { maxTokens: 0 }],
    ['/maxTokens', { maxTokens: 1.5 }],
    ['/lane', { lane: 'express' }],
    ['/tenant', { tenant: 'acme' }],
    ['/deadline', { deadline: 'soon' }],
    ['/deadline', { deadline: 0 }],
    ['/tennant', { tennant: () => 'acme' }],
  ]
  for (const [pointer, options] of wrong) {
    const error = thrownBy({ ...valid, ...options })
    assert.ok(isFault(error, 'JOB_INVALID'), `${pointer}: ${String(error)}`)
    assert.is(error.issues[0]?.pointer, pointer)
    assert.match(error.detail, pointer.slice(1).replaceAll('/', '.'))
  }
  assert.ok(isFault(thrownBy(undefined), 'JOB_INVALID'))
  assert.ok(isFault(thrownBy({ ...valid, result: z.string() }), 'JOB_RESULT_INVALID'))
  assert.ok(isFault(thrownBy({ ...valid, result: z.object({ at: z.date() }) }), 'JOB_RESULT_INVALID'))
})

function thrownBy(options: unknown): unknown {
  try {
    defineJob(options as never)
  } catch (error) {
    return error
  }
  return undefined
}

test.run()
