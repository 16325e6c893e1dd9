// Jobs of the past asked again, by the real SDK, against the stand-in.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { anthropicClient } from '../../src/job/anthropic-client.ts'
import { costOf } from '../../src/job/cost.ts'
import { fixed } from '../../src/delivery/backoff.ts'
import { defineJob } from '../../src/job/define-job.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'
import type { JobEvent, JobRequest } from '../../src/job/job-event.ts'
import type { JobState } from '../../src/job/job-state.ts'
import type { ModelAsk } from '../../src/job/model-client.ts'
import { readPrices } from '../../src/job/prices.ts'
import { NO_USAGE } from '../../src/job/usage.ts'
import { askAgain, type AskAgainEnd, type AskedLog } from '../../src/replay/ask-again.ts'
import { Spending } from '../../src/replay/spending.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import {
  startModelServer,
  type ModelServer,
  type ModelServerOptions,
} from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually } from '../support/broker.ts'

const test = suite('jobs asked again')

const Requested = defineEvent('triage.requested', { data: z.object({ amount: z.number() }) })
const job = defineJob({
  name: 'triage',
  on: { stream: 'SHOP', event: Requested },
  prompt: definePrompt({ id: 'triage', version: 2, user: 'Paid {{amount}}. Is it fraud?' }),
  result: z.object({ fraud: z.boolean() }),
  model: 'claude-haiku-5-5',
  maxTokens: 50,
  retry: { attempts: 3, backoff: fixed('1ms') },
})
const rates = { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25, cacheWrite1h: 2 }
const prices = readPrices({ version: '1', currency: 'USD', models: { 'claude-haiku-5-5': rates } })

function jobs(count: number) {
  return Array.from({ length: count }, (_, at) => {
    const id = `j${at}`
    const request: JobRequest = {
      id,
      name: 'triage',
      lane: 'standard',
      tenant: 'acme',
      input: { amount: at },
      inputEvents: [id],
      deadline: 1, // over long ago
    }
    return { request, job }
  })
}

class Memory implements AskedLog {
  readonly kept = new Map<string, readonly JobEvent[]>()
  readonly events = (id: string): readonly JobEvent[] => this.kept.get(id) ?? []
  readonly append = async (id: string, events: readonly JobEvent[]): Promise<void> => {
    this.kept.set(id, [...this.events(id), ...events])
  }
  get nanos(): number {
    const billed = [...this.kept.values()].flat().map((event) => ('billed' in event ? (event.billed?.nanos ?? 0) : 0))
    return billed.reduce((sum, one) => sum + one, 0)
  }
}

interface Run {
  readonly most?: number
  readonly concurrency?: number
  readonly signal?: AbortSignal
  readonly count?: number
  readonly log?: Memory
}

async function asking(
  options: ModelServerOptions,
  work: (
    run: (options?: Run) => Promise<{ readonly end: AskAgainEnd; readonly states: ReadonlyMap<string, JobState> }>,
    server: ModelServer,
    log: Memory,
  ) => Promise<void>,
): Promise<void> {
  const server = await startModelServer(options)
  const client = await anthropicClient({ apiKey: undefined, baseUrl: server.url })
  const log = new Memory()
  try {
    await work(
      async ({ most, concurrency = 4, signal = new AbortController().signal, count = 10 } = {}) => {
        const states = new Map<string, JobState>()
        const end = await askAgain(jobs(count), {
          client,
          clock: systemClock,
          log,
          spending: new Spending({ prices, most, spent: log.nanos }),
          concurrency,
          chance: () => 0,
          signal,
          onDone: ({ request }, state) => void states.set(request.id, state),
        })
        return { end, states }
      },
      server,
      log,
    )
  } finally {
    await server.stop()
  }
}

test('every job is decided by what is answered now, repaired and repeated as a worker would, and the calls are kept', async () => {
  const answers: ModelServerOptions['answers'] = ({ text, repeat }) => {
    if (text === 'Paid 3. Is it fraud?' && repeat === 1) return modelAnswers.overloaded()
    if (text === 'Paid 4. Is it fraud?') return modelAnswers.json({ fraud: 'maybe' })
    if (text === 'Paid 5. Is it fraud?') return modelAnswers.refusal()
    if (text === 'Paid 6. Is it fraud?') return modelAnswers.error('invalid_request_error')
    return modelAnswers.json({ fraud: true })
  }
  await asking({ answers }, async (run, server, log) => {
    const { end, states } = await run()
    assert.is(end, 'complete')
    assert.is(states.size, 10)
    const codes = [...states.values()].flatMap((state) => (state.kind === 'dead' ? [state.code] : []))
    assert.equal(codes.toSorted(), ['JOB_CALL_REFUSED', 'JOB_DECLINED'])
    assert.is(states.get('j4')?.kind, 'decided', 'it was asked to correct its answer')
    assert.equal(
      log.events('j3').map(({ type }) => type),
      [
        'job.admitted',
        'job.attempt-started',
        'job.attempt-failed',
        'job.admitted',
        'job.attempt-started',
        'job.completed',
        'job.validated',
        'job.decided',
      ],
    )
    const { billed, inputTokens, outputTokens } = server.totals()
    assert.is(billed, 10, 'ten jobs, one of them twice, one refused')
    const usage = { ...NO_USAGE, input: inputTokens, output: outputTokens }
    assert.is(log.nanos, costOf(usage, 'claude-haiku-5-5', prices).nanos, 'cost counted once for each billed call')
  })
})

test('RA1 interrupted and gone on with: nothing that was answered is asked again', async () => {
  const answers = async () => {
    await systemClock.sleep(20)
    return modelAnswers.json({ fraud: true })
  }
  await asking({ answers }, async (run, server, log) => {
    const stop = new AbortController()
    const first = run({ signal: stop.signal, count: 30 })
    await eventually('some are answered', () => log.kept.size >= 5)
    stop.abort()
    assert.is((await first).end, 'interrupted')
    const before = new Set([...log.kept].flatMap(([id, events]) => (events.some(isAnswer) ? [id] : [])))
    const asked = server.calls.length
    const { end, states } = await run({ count: 30 })
    assert.equal([end, states.size], ['complete', 30])
    const again = server.calls.slice(asked).map(({ request }) => /\d+/.exec(request.text)?.[0] ?? '')
    assert.ok(before.size >= 5)
    assert.equal(
      again.filter((amount) => before.has(`j${amount}`)),
      [],
    )
    assert.is((await run({ count: 30 })).states.size, 30)
    assert.is([...log.kept.values()].flat().filter(isAnswer).length, 30, 'each answered once')
  })
})

test('RA1 an answer that was kept and not judged is judged, and not paid again', async () => {
  await asking({ answers: () => modelAnswers.json({ fraud: true }) }, async (run, server, log) => {
    await run({ count: 1 })
    const answered = log.events('j0').slice(0, 3)
    assert.is(answered.at(-1)?.type, 'job.completed')
    log.kept.set('j0', answered)
    const { states } = await run({ count: 1 })
    assert.equal([states.get('j0')?.kind, server.totals().calls], ['decided', 1])
  })
})

test('RA2 it stops before a call that may pass the limit, and goes on with a higher one', async () => {
  await asking({ answers: () => modelAnswers.json({ fraud: true }) }, async (run, server, log) => {
    await run({ count: 1 })
    const one = log.nanos
    const most = one * 3 + 200_000
    const { end, states } = await run({ most, count: 40, concurrency: 8 })
    assert.is(end, 'max-cost')
    assert.ok(log.nanos <= most, `${log.nanos} of ${most}`)
    assert.ok(states.size < 40)
    const calls = server.totals().calls
    assert.is((await run({ most, count: 40 })).end, 'max-cost')
    assert.is((await run({ count: 40 })).states.size, 40)
    assert.ok(server.totals().calls >= calls)
    assert.is(server.totals().billed, 40)
  })
})

test('RA2 calls under way never reserve more than the limit, whatever they are billed', async () => {
  const ask: ModelAsk = {
    model: 'claude-haiku-5-5',
    maxTokens: 100,
    schema: undefined,
    system: [],
    user: [{ type: 'text', text: 'x'.repeat(400), cache_control: { type: 'ephemeral', ttl: '1h' } }],
  }
  const bill = fc.record({ input: fc.nat({ max: 300 }), output: fc.nat({ max: 100 }), takes: fc.nat({ max: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(bill, { maxLength: 30 }), fc.integer({ min: 1, max: 5_000_000 }), async (bills, most) => {
      const spending = new Spending({ prices, most, spent: 0 })
      let beyond = 0
      const calling = bills.map(async ({ input, output, takes }) => {
        const room = await spending.reserve(ask, 'p')
        if (room === undefined) return
        for (let turn = 0; turn < takes; turn++) await Promise.resolve()
        const nanos = room.settle(ask.model, { ...NO_USAGE, input, output }) ?? 0
        beyond += Math.max(0, nanos - room.estimate)
      })
      await Promise.all(calling)
      assert.ok(spending.spent <= most + beyond, `${spending.spent} of ${most}, ${beyond} beyond`)
    }),
  )
})

test('a provider that refuses every call ends it, with what was answered kept', async () => {
  const answers = [modelAnswers.json({ fraud: true }), modelAnswers.error('authentication_error')]
  await asking({ answers }, async (run, server, log) => {
    const error = await run({ concurrency: 1 }).catch((thrown: unknown) => thrown)
    assert.ok(isFault(error, 'JOBS_WAIT'), String(error))
    assert.equal([server.totals().calls, log.kept.size], [2, 2])
    assert.is((await run()).states.size, 10)
  })
})

function isAnswer({ type }: JobEvent): boolean {
  return type === 'job.completed'
}

test.run()
