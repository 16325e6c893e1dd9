// Batches of jobs while the processes that make and follow them are killed around everything that they ask of the provider.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCosts } from '../../src/job/costs/cost-counters.ts'
import { readJob } from '../../src/runtime/open-job.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { jobContext } from '../job/worker/working-jobs.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { startTestServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'
import { BATCH_JOB } from './batch-jobs.ts'
import { killingLink, type Moment } from './killing-link.ts'

const test = suite('chaos of batches')
const JOBS = 90
const WORKERS = 3
const ALL: readonly Moment[] = ['after', 'before', 'later']
const PLAN = { create: [...ALL, 'after' as const], find: ALL, list: ALL, results: [...ALL, 'later' as const] }
/** Patience and no promise. */
const LIMIT_MS = 540_000
/** How often a job is asked: of ten one fails at first, and one expires. */
const asked = (at: number): number => (at % 10 < 2 ? 2 : 1)

test('BA1 BA2 BA3 BA4 BA5 processes are killed around all that they ask: each job is sent once, ends once, and is counted once', async () => {
  const { url } = await startTestServer()
  const context = await jobContext(await connectTo(url), BATCH_JOB)
  const server = await startModelServer({
    batches: { missing: 1, polls: 2 },
    answers: ({ text, repeat }) => {
      const kind = Number(/<(\d+)>/.exec(text)?.[1]) % 10
      if (repeat === 1 && kind === 0) return modelAnswers.overloaded()
      return repeat === 1 && kind === 1 ? modelAnswers.expired() : modelAnswers.json({ verdict: 'fine' })
    },
  })
  atEnd(() => server.stop())
  const children = new Map<string, ChildProcess>()
  let started = 0
  const start = (): void => {
    const key = `key-${(started += 1)}`
    const script = fileURLToPath(new URL('batch-worker.ts', import.meta.url))
    const args = [...testProgram(script), url, context.stream.name, link.url, key]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    children.set(key, child)
    atEnd(() => void child.kill('SIGKILL'))
  }
  const link = await killingLink(server.url, PLAN, (key) => {
    children.get(key)?.kill('SIGKILL')
    if (children.delete(key)) start()
  })
  const ids = Array.from({ length: JOBS }, (_, at) => `job-${at}`)
  await Promise.all(ids.map((id, at) => context.request(id, `<${at}>`)))
  for (let at = 0; at < WORKERS; at++) start()
  const began = performance.now()
  await eventually('the queue is empty', async () => (await context.queued()) === 0 || undefined, LIMIT_MS)
  const seconds = Math.round((performance.now() - began) / 1_000)
  for (const child of children.values()) child.kill('SIGKILL')

  const sent = new Map<string, number>()
  for (const { requests } of link.created)
    for (const request of requests) {
      const number = /<(\d+)>/.exec(JSON.stringify(request))?.[1]
      sent.set(`job-${number}`, (sent.get(`job-${number}`) ?? 0) + 1)
    }
  for (const [at, id] of ids.entries()) {
    const events = await readJob(context.job.records, { connection: context.connection, clock: systemClock }, id)
    const types = events.map(({ type }) => type.slice(4))
    const count = (type: string): number => types.filter((one) => one === type).length
    const story = `${id}: ${events.map((event) => ('reason' in event ? `${event.type} (${event.reason})` : event.type)).join(' ')}`
    assert.is(types.at(-1), 'decided', story)
    assert.equal([count('decided'), count('completed'), count('attempt-billed')], [1, 1, 0], story)
    assert.is(sent.get(id), asked(at), `it is sent as often as it is asked: ${story}`)
  }
  const counted = (await readCosts(context.connection, systemClock, {})).reduce((sum, one) => sum + one.tally.calls, 0)
  const { billed } = server.totals()
  console.log(`${link.kills.length} kills (${link.kills.join(', ')}), ${link.created.length} batches, ${seconds} s`)
  assert.equal([billed, counted], [JOBS, JOBS], 'each is billed once, and counted once')
  assert.ok(link.kills.length >= 10, `${link.kills.length} kills`)
  for (const doing of ['create', 'find', 'results'])
    for (const moment of ALL) assert.ok(link.kills.includes(`${moment} ${doing}`), `${moment} ${doing}`)
})

test.run()
