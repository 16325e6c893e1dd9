// What is told of jobs while they are done: by hand on a manual clock, then by the real client, server and stream.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { anthropicClient } from '../../src/job/anthropic-client.ts'
import { tellProgress } from '../../src/job/progress/job-progress.ts'
import type { ProgressEvent } from '../../src/job/progress/progress-event.ts'
import { ProgressSender } from '../../src/job/progress/progress-sender.ts'
import { callModel } from '../../src/job/model-call.ts'
import type { JobEvent, JobRequest } from '../../src/job/job-event.ts'
import { jobStream, jobQueue } from '../../src/job/job-streams.ts'
import { progressStream } from '../../src/job/progress/progress-stream.ts'
import { NO_USAGE } from '../../src/job/usage.ts'
import { silentLog, type Log } from '../../src/observe/log.ts'
import { followJob, type FollowedProgress } from '../../src/runtime/follow-job.ts'
import { jobPorts } from '../../src/runtime/open-job.ts'
import { openJobs } from '../../src/runtime/open-jobs.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from '../support/cleanup.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { sharedServer, startTestServer } from '../support/nats.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const test = suite('progress of jobs')
const CALL = { job: 'j', attempt: 1, model: 'm', maxTokens: 100 }

test('JP2 pieces of text are put together by time or size, in order, and the rest comes before the end', async () => {
  const clock = new VirtualClock(1_000)
  const told: ProgressEvent[] = []
  const call = tellProgress(clock, (_job, _attempt, event) => told.push(event)).started(CALL)
  for (const piece of ['a', 'b', 'c']) call.text(piece)
  assert.is(told.length, 1, 'only that it began')
  await clock.pass(50)
  call.text('x'.repeat(300))
  call.text('rest')
  call.ended({ kind: 'decided', decision: { fraud: false } })
  call.text('too late')
  call.ended({ kind: 'dead', reason: 'too late' })
  await clock.pass(5_000)
  assert.equal(
    told.map((event) => (event.type === 'job.text' ? [event.from, event.text.length] : event.type)),
    ['job.started', [0, 3], [3, 300], [303, 4], 'job.completed'],
  )
  assert.is(clock.armed, 0)
})

test('JP2 whatever the pieces and the pauses, what is told is the text, without a gap', async () => {
  const pieces = fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 0, max: 2_000 })))
  await fc.assert(
    fc.asyncProperty(pieces, async (all) => {
      const clock = new VirtualClock()
      const told: ProgressEvent[] = []
      const call = tellProgress(clock, (_job, _attempt, event) => told.push(event)).started(CALL)
      for (const [piece, pause] of all) {
        call.text(piece)
        if (pause > 1_000) await clock.pass(pause)
      }
      call.ended({ kind: 'again', reason: 'overloaded' })
      let text = ''
      for (const event of told) {
        if (event.type === 'job.progress') assert.ok(event.tokens > 0 && event.tokens <= 100)
        if (event.type !== 'job.text') continue
        assert.is(event.from, text.length)
        text += event.text
      }
      assert.is(text, all.map(([piece]) => piece).join(''))
      assert.is(told.at(-1)?.type, 'job.again')
    }),
    { numRuns: 50 },
  )
})

const REQUEST: Omit<JobRequest, 'id'> = {
  name: 'triage',
  lane: 'standard',
  tenant: 'acme',
  input: {},
  inputEvents: [],
  deadline: undefined,
}
const PROMPT = { id: 'p', version: 1, hash: 'h' }

async function contextOf(connection: Connection) {
  const context = await freshStream(connection)
  const records = jobStream(context)
  const queue = jobQueue(records)
  const progress = progressStream(records)
  await applyStreams(connection, await planStreams(connection, [records, queue, progress]))
  const { log } = jobPorts(
    { declaration: undefined as never, stream: context, records, queue, progress },
    {
      connection,
      clock: systemClock,
    },
  )
  const append = async (id: string, ...events: readonly JobEvent[]): Promise<void> => {
    const { version } = await log.read(id)
    assert.ok(await log.append(id, version, events, { correlationId: undefined, causationId: 'test' }))
  }
  const begin = (id: string): Promise<void> =>
    append(
      id,
      { type: 'job.requested', at: 1, request: { ...REQUEST, id } },
      { type: 'job.admitted', at: 2, attempt: 1, estimatedTokens: 5 },
      { type: 'job.attempt-started', at: 2, attempt: 1, owner: 'test', model: 'm', prompt: PROMPT },
    )
  const decide = (id: string, decision: unknown): Promise<void> =>
    append(
      id,
      {
        type: 'job.completed',
        at: 3,
        attempt: 1,
        requestId: undefined,
        stopReason: 'end_turn',
        text: '{}',
        billed: { usage: NO_USAGE, nanos: undefined, estimated: false },
      },
      { type: 'job.validated', at: 3, attempt: 1, result: decision },
      { type: 'job.decided', at: 4, attempt: 1, decision },
    )
  return { context, records, progress, begin, decide, append }
}

const typesOf = (events: readonly FollowedProgress[]): string =>
  events
    .map(({ type }) => type.slice(4))
    .filter((type) => type !== 'progress')
    .join(' ')
    .replace(/text( text)+/g, 'text')

test('JP2 a call is followed from its first word to its decision, and again from any sequence', async () => {
  const connection = await sharedConnection()
  const job = await contextOf(connection)
  const id = 'job 1.é'
  await job.begin(id)
  const sender = new ProgressSender({ connection, clock: systemClock, log: silentLog, stream: job.progress.name })
  const said = 'It is fraud, as three cards were used within a minute. '.repeat(20)
  const server = await startModelServer({ answers: [modelAnswers.text(said, { deltaEvery: 5 })] })
  atEnd(() => server.stop())
  const followed: FollowedProgress[] = []
  const following = (async () => {
    for await (const event of followJob(job, id, { connection, clock: systemClock })) followed.push(event)
  })()
  const call = sender.progress.started({ job: id, attempt: 1, model: 'm', maxTokens: 500 })
  await callModel({
    client: await anthropicClient({ apiKey: undefined, baseUrl: server.url }),
    ask: {
      model: 'm',
      maxTokens: 500,
      system: [],
      user: [{ type: 'text', text: 'Is it fraud?' }],
      schema: undefined,
    },
    result: undefined,
    clock: systemClock,
    limits: { idle: 20_000, most: 60_000 },
    signal: new AbortController().signal,
    record: async () => undefined,
    onText: call.text,
  })
  await job.decide(id, { fraud: true })
  call.ended({ kind: 'decided', decision: { fraud: true } })
  await following
  assert.is(typesOf(followed), 'started text completed')
  const texts = followed.filter((event) => event.type === 'job.text')
  assert.is(texts.map(({ text }) => text).join(''), said)
  assert.ok(texts.length > 1 && texts.length < said.length / 20, `${texts.length} messages`)
  const last = followed.at(-1)
  assert.equal(last?.type === 'job.completed' && last.decision, { fraud: true })
  const after = texts[0]?.sequence ?? 0
  const again: FollowedProgress[] = []
  const { follow, close } = await openJobs(job.context, { connection: { server: (await sharedServer()).url } })
  for await (const event of follow(id, { after })) again.push(event)
  await close()
  assert.equal(again, followed.slice(followed.findIndex(({ sequence }) => sequence === after) + 1))
  assert.is(sender.lost, 0)
  sender.stop()
})

test('JP1 without its stream nothing fails: it is counted, said once, and the end comes from the log', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const job = await contextOf(connection)
  await job.begin('j')
  await connection.manager.streams.delete(job.progress.name)
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (_fields, message) => warnings.push(message) }
  const sender = new ProgressSender({ connection, clock: systemClock, log, stream: job.progress.name })
  const call = sender.progress.started({ ...CALL, job: 'j' })
  call.text('x'.repeat(300))
  call.text('x'.repeat(3_000_000))
  call.ended({ kind: 'again', reason: 'overloaded' })
  await eventually('all are counted', () => sender.lost === 4 || undefined)
  assert.equal(warnings, ['progress of jobs is not stored; the jobs go on'])
  const followed: FollowedProgress[] = []
  const following = (async () => {
    for await (const event of followJob(job, 'j', { connection, clock: systemClock })) followed.push(event)
  })()
  await job.append('j', { type: 'job.dead-lettered', at: 9, reason: 'exhausted' })
  await following
  assert.equal(followed, [{ type: 'job.failed', at: 9, attempt: 1, reason: 'exhausted', sequence: undefined }])
  sender.stop()
})

test('an unknown job is not followed; a signal ends it; what was told before a redrive is no end', async () => {
  const connection = await sharedConnection()
  const job = await contextOf(connection)
  const options = { connection, clock: systemClock }
  const first = async (id: string): Promise<unknown> => {
    for await (const event of followJob(job, id, options)) return event
    return undefined
  }
  assert.match(String(await first('nobody').catch((error: unknown) => error)), 'JOB_NOT_FOUND')
  await job.begin('j')
  const sender = new ProgressSender({ ...options, log: silentLog, stream: job.progress.name })
  sender.progress.started({ ...CALL, job: 'j' }).ended({ kind: 'dead', reason: 'exhausted' })
  const call = sender.progress.started({ ...CALL, job: 'j', attempt: 2 })
  call.text('more')
  const stop = new AbortController()
  const followed: FollowedProgress[] = []
  for await (const event of followJob(job, 'j', { ...options, signal: stop.signal })) {
    followed.push(event)
    if (event.type === 'job.text') stop.abort()
  }
  assert.is(typesOf(followed), 'started started text')
  sender.stop()
})

test.run()
