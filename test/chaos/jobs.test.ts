// Jobs while the processes that do them are killed all the time, and the provider has every kind of fault.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCosts } from '../../src/job/costs/cost-counters.ts'
import { jobOf } from '../../src/job/decide-job.ts'
import { laneConsumerName } from '../../src/job/worker/lane-source.ts'
import { readJob } from '../../src/runtime/open-job.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import type { ModelCall } from '../../src/testing/model-server/model-call.ts'
import { LANES, type JobEvent } from '../../src/job/job-event.ts'
import { inputOf } from '../../src/job/usage.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { startTestServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'
import { jobContext, type JobContext } from '../job/worker/working-jobs.ts'
import { JOB, NOT_BEGUN, REQUESTS } from './limited-jobs.ts'

const test = suite('chaos of jobs')

/** `CHAOS_JOBS=600` asks for fewer, `CHAOS_JOBS=20000` for more: it takes minutes. */
const JOBS = Number(process.env['CHAOS_JOBS'] ?? 2_000)
const WORKERS = 3
/** A process is killed when so many calls more have ended: more than twenty times. */
const KILL_EVERY = Math.floor(JOBS / 21)
/** Of so many kills one has another process frozen, for longer than the server waits for who has a job. */
const FREEZE_EVERY = 4
const FROZEN_MS = 3_000
const KINDS = [
  'rate-limited',
  'overloaded',
  'server-error',
  'invalid',
  'reset',
  'silent',
  'stalled',
  'cut',
  'torn',
  'failed-in-stream',
  'refusal',
  'truncated',
  'invalid-output',
] as const
const FAULTS = Object.fromEntries(KINDS.map((kind) => [kind, 0.1 / KINDS.length]))
/** Patience and no promise: a quiet machine needs a tenth of it. */
const LIMIT_MS = Math.max(540_000, JOBS * 270)

function start(args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL('jobs-worker.ts', import.meta.url))
  const child = spawn(process.execPath, [...testProgram(script), ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  atEnd(() => void child.kill('SIGKILL'))
  return child
}

/**
 * Kills one after the other, as the calls go on, and starts another in its place, also of one that could not begin, as the machine stood
 * still; now and then one is frozen until others have its jobs. How far they are at which time is noted.
 */
function killing(children: ChildProcess[], args: readonly string[], calls: () => number) {
  let [kills, wakings, next] = [0, 0, KILL_EVERY]
  const crashed: (number | null)[] = []
  const seen: { readonly at: number; readonly calls: number }[] = []
  const stop = systemClock.every(20, () => {
    seen.push({ at: performance.now(), calls: calls() })
    for (const [at, child] of children.entries()) {
      if (child.exitCode === null) continue
      if (child.exitCode !== NOT_BEGUN) crashed.push(child.exitCode)
      children[at] = start(args)
    }
    if (calls() < next) return
    next += KILL_EVERY
    children[kills % WORKERS]?.kill('SIGKILL')
    children[kills % WORKERS] = start(args)
    kills += 1
    if (kills % FREEZE_EVERY !== 0) return
    // the one that is killed last of all
    const frozen = children[(kills + 1) % WORKERS]
    frozen?.kill('SIGSTOP')
    systemClock.after(FROZEN_MS, () => {
      if (frozen?.exitCode === null && frozen.signalCode === null && frozen.kill('SIGCONT')) wakings += 1
    })
  })
  return { stop, seen, crashed, kills: () => kills, wakings: () => wakings }
}

/** What keeps jobs in the queue. */
async function whatIsLeft({ connection, job }: JobContext, { calls, kills }: { calls: number; kills: number }) {
  const { state } = await connection.manager.streams.info(job.queue.name, { subjects_filter: '>' })
  const consumers = await Promise.all(
    LANES.map(async (lane) => {
      const at = await connection.manager.consumers.info(job.queue.name, laneConsumerName(lane))
      return `${lane}: ${at.num_pending} wait, ${at.num_ack_pending} are in hand, ${at.num_redelivered} again`
    }),
  )
  const queue = `${state.messages} in the queue: ${JSON.stringify(state.subjects).slice(0, 500)}`
  return `it goes on no more: ${calls} calls, ${kills} kills, ${queue}; ${consumers.join('; ')}`
}

/** What each job has on the log. */
async function histories(context: JobContext, ids: readonly string[]): Promise<Map<string, readonly JobEvent[]>> {
  const options = { connection: context.connection, clock: systemClock }
  const all = new Map<string, readonly JobEvent[]>()
  for (let at = 0; at < ids.length; at += 50)
    await Promise.all(
      ids.slice(at, at + 50).map(async (id) => all.set(id, await readJob(context.job.records, options, id))),
    )
  return all
}

test('JW1 JW2 JW3 JB1 JB3 two thousand jobs, processes that are killed, every kind of fault: each ends once, and is billed what it was', async () => {
  const { url } = await startTestServer()
  const context = await jobContext(await connectTo(url), JOB)
  const server = await startModelServer({ faults: FAULTS, seed: 'jobs' })
  atEnd(() => server.stop())
  const ids = Array.from({ length: JOBS }, (_, n) => `job-${n}`)
  for (let at = 0; at < JOBS; at += 50)
    await Promise.all(ids.slice(at, at + 50).map((id) => context.request(id, `<${id}>`)))
  const args = [url, context.stream.name, server.url, 'key']
  const began = performance.now()
  const children = Array.from({ length: WORKERS }, () => start(args))
  const { stop, kills, wakings, crashed, seen } = killing(children, args, () => server.calls.length)
  try {
    await eventually('the queue is empty', async () => (await context.queued()) === 0 || undefined, LIMIT_MS)
  } catch (error) {
    throw new Error(await whatIsLeft(context, { calls: server.calls.length, kills: kills() }), { cause: error })
  }
  stop()
  const seconds = Math.round((performance.now() - began) / 1_000)
  for (const child of children) child.kill('SIGKILL')

  const all = await histories(context, ids)
  const count = (events: readonly JobEvent[], type: string): number => events.filter((e) => e.type === type).length
  const decided = [...all.values()].filter((events) => count(events, 'job.decided') === 1).length
  const dead = [...all.values()].filter((events) => count(events, 'job.dead-lettered') === 1).length
  const ends = [...all].filter(([, events]) => count(events, 'job.decided') + count(events, 'job.dead-lettered') !== 1)
  assert.equal(ends, [], 'each ends once')
  const letters = await context.connection.manager.streams.info('DEAD_LETTERS')
  assert.is(letters.state.messages, dead, 'and whoever is dead has a letter')

  const lost = judgeBills(all, server.calls)
  const costs = await readCosts(context.connection, systemClock, {})
  const counted = costs.reduce((sum, { tally }) => sum + tally.calls, 0)
  const { billed, overLimit } = server.totals()
  const logged = [...all.values()].flatMap((events) => billsIn(events)).length
  console.log(
    `${decided} decided, ${dead} dead, ${kills()} kills, ${wakings()} woken up, ${server.calls.length} calls, ${billed} billed, ${logged} on the log, ` +
      `${counted} counted, ${lost} of unknown bill, ${overLimit} over the limit, ${seconds} s`,
  )
  assert.ok(kills() >= 20, `${kills()} kills`)
  assert.ok(wakings() > 0, 'one that was frozen has woken up')
  assert.equal(crashed, [], 'none has ended by itself')
  assert.ok(counted >= logged && counted <= billed, 'what is counted was billed, and what is on the log is counted')
  assert.ok(decided > JOBS / 2 && dead > 0)
  // whatever is seen late was admitted before
  for (const { at, calls } of seen)
    assert.ok(calls <= REQUESTS / 12 + (REQUESTS * (at - began)) / 60_000 + 10, `${calls} calls after ${at - began} ms`)
})

/** What happened, in a line. */
function told(events: readonly JobEvent[]): string {
  const details = (event: JobEvent): string =>
    `${'attempt' in event ? event.attempt : ''} ${'reason' in event ? event.reason : ''} ${'billed' in event ? 'billed' : ''}`
  return events.map((event) => `${event.type.slice(4)} ${details(event)}`.trimEnd()).join(', ')
}

/** An event that says what a call was billed. */
function billsIn(events: readonly JobEvent[]) {
  return events.flatMap((event) => {
    if (event.type !== 'job.completed' && event.type !== 'job.attempt-failed' && event.type !== 'job.attempt-billed')
      return []
    return event.billed === undefined ? [] : [{ ...event, billed: event.billed }]
  })
}

/**
 * Each bill on the log is one of the server’s, and once; what the server has billed beside them belongs to attempts that are known as such that may have been billed.
 * @returns how many those are
 */
function judgeBills(all: ReadonlyMap<string, readonly JobEvent[]>, calls: readonly ModelCall[]): number {
  const billed = new Map<string, ModelCall[]>()
  for (const call of calls.filter((one) => one.billed !== undefined)) {
    const id = /<(job-\d+)>/.exec(JSON.stringify(call.request.body))?.[1] ?? ''
    billed.set(id, [...(billed.get(id) ?? []), call])
  }
  let lost = 0
  for (const [id, events] of all) {
    const bills = billsIn(events)
    const own = billed.get(id) ?? []
    const attempts = bills.map(({ attempt }) => attempt)
    assert.is(new Set(attempts).size, attempts.length, `${id}: an attempt is billed once`)
    const unknown = own.length - bills.length
    const state = jobOf(events)
    const may = state.kind === 'none' ? 0 : state.account.unknown.length
    assert.ok(unknown >= 0 && unknown <= may, `${id}: ${own.length} bills, and on the log ${told(events)}`)
    lost += unknown
    for (const event of bills) {
      if (event.type !== 'job.completed') continue
      const same = own.filter(({ requestId }) => requestId === event.requestId)
      const { usage } = event.billed
      assert.equal(
        same.map((call) => call.billed),
        [{ inputTokens: inputOf(usage), outputTokens: usage.output }],
        `${id}: it is billed as the server says`,
      )
    }
  }
  return lost
}

test.run()
