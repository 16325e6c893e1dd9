// Requests of jobs, against a log in memory whose next write or queue may fail, and the stored form of a job’s events.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { jobOf } from '../../src/job/decide-job.ts'
import { defineJob } from '../../src/job/define-job.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'
import { draftOfJobEvent, jobEventOf } from '../../src/job/job-contracts.ts'
import type { JobEvent } from '../../src/job/job-event.ts'
import { requestOf, takeRequest, type JobPorts, type QueuedJob } from '../../src/job/take-request.ts'
import { NO_USAGE } from '../../src/job/usage.ts'

const test = suite('requests of jobs')

const Requested = defineEvent('triage.requested', {
  data: z.object({ amount: z.number(), note: z.string().optional(), by: z.string() }),
})
const job = defineJob({
  name: 'triage',
  on: { stream: 'SHOP', event: Requested },
  prompt: definePrompt({ id: 'triage', version: 1, user: 'Paid {{amount}}, says {{note}}.' }),
  result: z.object({ fraud: z.boolean() }),
  model: 'claude-haiku-5-5',
  maxTokens: 100,
  lane: ({ amount }) => (amount > 1_000 ? 'urgent' : 'standard'),
  tenant: ({ by }) => by,
  deadline: '10m',
})
const other = defineJob({ ...optionsOf(), name: 'other' })

function optionsOf() {
  const { on, prompt, result, model, maxTokens } = job
  return { on, prompt, result, model, maxTokens }
}

function requestEvent(id: string, data: object = {}): StoredEvent {
  return {
    id,
    source: '/test',
    type: 'triage.requested',
    version: 1,
    time: 1_000,
    key: undefined,
    data: { amount: 5, note: 'hello', by: 'acme', ...data },
    correlationId: 'c',
    causationId: undefined,
    attributes: {},
    stream: 'SHOP',
    sequence: 1,
    storedAt: 1_000,
  }
}

class Memory implements JobPorts {
  readonly events = new Map<string, readonly JobEvent[]>()
  readonly queued: QueuedJob[] = []
  /** The next writes: of the log, then of the queue. */
  failures: readonly boolean[] = []

  readonly log: JobPorts['log'] = {
    read: async (id) => {
      const events = this.events.get(id) ?? []
      return { state: jobOf(events), version: events.length }
    },
    append: async (id, version, events) => {
      this.#maybeFail()
      const known = this.events.get(id) ?? []
      if (known.length !== version) return false
      this.events.set(id, [...known, ...events])
      return true
    },
  }

  readonly enqueue = async (queued: QueuedJob): Promise<void> => {
    this.#maybeFail()
    this.queued.push(queued)
  }

  readonly now = (): number => 2_000

  #maybeFail(): void {
    const [fails, ...rest] = this.failures
    this.failures = rest
    if (fails === true) throw new Error('killed')
  }
}

test('a request is recorded with its input, lane, tenant and deadline; what is queued has its id and what a scheduler needs', async () => {
  const ports = new Memory()
  assert.is(await takeRequest(ports, job, requestEvent('e1', { amount: 2_000 })), 'requested')
  const input = { amount: 2_000, note: 'hello', by: 'acme' }
  const request = { id: 'e1', name: 'triage', lane: 'urgent', tenant: 'acme', input, inputEvents: ['e1'] }
  assert.equal(ports.events.get('e1'), [
    { type: 'job.requested', at: 2_000, request: { ...request, deadline: 601_000 } },
  ])
  const [queued] = ports.queued
  assert.equal(Object.keys(queued ?? {}).toSorted(), ['id', 'lane', 'tenant', 'tokens'])
  assert.equal([queued?.id, queued?.lane, queued?.tenant], ['e1', 'urgent', 'acme'])
  assert.ok((queued?.tokens ?? 0) > 100 && (queued?.tokens ?? 0) < 300)
})

test('JR1 a request that comes again finds its job, as it was requested first, also when the job is over', async () => {
  const ports = new Memory()
  await takeRequest(ports, job, requestEvent('e1'))
  assert.is(await takeRequest(ports, job, requestEvent('e1', { amount: 9_000, by: 'evil' })), 'found')
  assert.equal(ports.queued[1], ports.queued[0] && { ...ports.queued[0], tokens: ports.queued[1]?.tokens })
  ports.events.set('e1', [...(ports.events.get('e1') ?? []), { type: 'job.dead-lettered', at: 3_000, reason: 'never' }])
  assert.is(await takeRequest(ports, job, requestEvent('e1')), 'found')
  assert.is(ports.queued.length, 2, 'what is over is not queued')
  const error = await takeRequest(ports, other, requestEvent('e1')).catch((thrown: unknown) => thrown)
  assert.ok(isFault(error, 'JOB_ID_TAKEN'))
})

test('a dead job that is redriven has the lane and the tenant that its request says now, and no demotion of the day before', async () => {
  const ports = new Memory()
  await takeRequest(ports, job, requestEvent('e1'))
  const died: JobEvent[] = [
    { type: 'job.demoted', at: 2_500, until: 3_000 },
    { type: 'job.dead-lettered', at: 3_000, reason: 'never' },
  ]
  ports.events.set('e1', [...(ports.events.get('e1') ?? []), ...died])
  const origin = { stream: 'SHOP', sequence: 1, subject: 's', storedAt: 1_000 } as const
  const again = { origin: { ...origin, member: undefined }, generation: 1 }
  const mended = requestEvent('e1', { by: 'other' })
  assert.is(await takeRequest(ports, job, mended, again), 'redriven')
  assert.is(await takeRequest(ports, job, mended, again), 'found', 'killed before it was acknowledged')
  const [, ...redriven] = ports.queued.map(({ lane, tenant }) => ({ lane, tenant }))
  assert.equal(
    redriven,
    Array.from({ length: 2 }, () => ({ lane: 'standard', tenant: 'other' })),
  )
  const { state } = await ports.log.read('e1')
  assert.equal(state.kind !== 'none' && [state.account.request.lane, state.account.request.tenant], [
    'standard',
    'other',
  ])
})

test('JR1 JR2 killed at any write, and delivered until it is taken: one job, and it is in its queue', async () => {
  const failures = fc.array(fc.boolean(), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(failures, fc.integer({ min: 1, max: 4 }), async (failing, times) => {
      const ports = new Memory()
      ports.failures = failing
      let deliveries = times
      while (deliveries > 0) {
        const taken = await takeRequest(ports, job, requestEvent('e1')).catch(() => 'killed')
        if (taken !== 'killed') deliveries -= 1
      }
      assert.is(ports.events.get('e1')?.length, 1)
      assert.ok(ports.queued.length >= 1)
    }),
    { numRuns: 60 },
  )
})

test('JR3 what cannot be asked is refused, and there is no job', async () => {
  const ports = new Memory()
  const refused: readonly (readonly [string, Promise<unknown>])[] = [
    ['PROMPT_VALUE_MISSING', takeRequest(ports, job, requestEvent('a', { note: undefined }))],
    ['JOB_REQUEST_INVALID', takeRequest(ports, job, requestEvent('b', { by: '' }))],
    ['JOB_REQUEST_INVALID', takeRequest(ports, job, requestEvent('c', { by: 'x'.repeat(257) }))],
    ['JOB_REQUEST_INVALID', takeRequest(ports, { ...job, laneOf: () => 'express' }, requestEvent('d'))],
    [
      'JOB_REQUEST_INVALID',
      takeRequest(ports, { ...job, tenantOf: (input) => (input as { no: { no: string } }).no.no }, requestEvent('e')),
    ],
  ]
  for (const [code, taken] of refused) {
    const error = await taken.catch((thrown: unknown) => thrown)
    assert.ok(isFault(error, code as never), `${code}: ${String(error)}`)
    assert.is(error.disposition, 'dead-letter')
  }
  assert.equal([ports.events.size, ports.queued.length], [0, 0])
})

test('every event of a job is stored as it is, what is not known left out', () => {
  const billed = {
    usage: { ...NO_USAGE, serverTools: { web_search_requests: 1 }, terms: ['batch'] },
    nanos: 5,
    estimated: false,
  }
  const prompt = { id: 'triage', version: 1, hash: 'abc' }
  const { request } = requestOf(job, requestEvent('e1'))
  const at = 1
  const events: readonly JobEvent[] = [
    { type: 'job.requested', at, request },
    { type: 'job.requested', at, request: { ...request, deadline: undefined } },
    { type: 'job.admitted', at, attempt: 1, estimatedTokens: 20 },
    { type: 'job.attempt-started', at, attempt: 1, owner: 'w', model: 'm', prompt },
    {
      type: 'job.attempt-failed',
      at,
      attempt: 1,
      reason: 'overloaded',
      counts: true,
      again: 9,
      requestId: 'r',
      billed,
    },
    {
      type: 'job.attempt-failed',
      at,
      attempt: 1,
      reason: 'idle',
      counts: true,
      again: undefined,
      requestId: undefined,
      billed: { ...billed, nanos: undefined },
    },
    { type: 'job.completed', at, attempt: 2, requestId: 'r', stopReason: 'end_turn', text: '{}', billed },
    { type: 'job.attempt-billed', at, attempt: 1, billed },
    { type: 'job.validated', at, attempt: 2, result: { fraud: true } },
    {
      type: 'job.invalidated',
      at,
      attempt: 2,
      issues: [{ pointer: '/fraud', detail: 'is missing' }, { detail: 'odd' }],
    },
    { type: 'job.decided', at, attempt: 2, decision: { fraud: true } },
    { type: 'job.overridden', at, by: 'ann', why: 'seen', decision: null },
    { type: 'job.dead-lettered', at, reason: 'never' },
    { type: 'job.redriven', at, by: 'ann', lane: 'standard', tenant: 'acme' },
    { type: 'job.redriven', at, by: 'ann' },
  ]
  for (const event of events) {
    const { type, data } = draftOfJobEvent(event)
    const stored: unknown = JSON.parse(JSON.stringify(data))
    assert.equal(jobEventOf({ type, data: stored }), JSON.parse(JSON.stringify(event)), type)
  }
  assert.throws(
    () => jobEventOf({ type: 'job.unheard-of', data: {} }),
    (error: unknown) => isFault(error, 'JOB_HISTORY_INVALID'),
  )
})

test.run()
