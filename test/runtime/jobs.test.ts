import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { readLast } from '../../src/broker/last-message.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { readHandlers } from '../../src/cli/status/read-handlers.ts'
import { readStatus } from '../../src/cli/status/read-status.ts'
import { readDeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { LetterRecords } from '../../src/delivery/letters/letter-records.ts'
import { RedriveLetters, type LetterOutcome } from '../../src/delivery/letters/redrive-letters.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { laneSubject } from '../../src/job/job-streams.ts'
import type { JobDeclaration } from '../../src/job/job-options.ts'
import type { Lane } from '../../src/job/job-event.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { deployJobs } from '../../src/runtime/deployed-jobs.ts'
import { discover } from '../../src/runtime/discover.ts'
import { jobPorts } from '../../src/runtime/open-job.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from '../support/cleanup.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('jobs of a deployment')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))

test('JR1 JR3 are found, have streams of their own, and their requests become jobs on the log and in their lanes', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  assert.equal(
    deployment.streams.map(({ name }) => name),
    ['SHOP', 'SHOP_WORK', 'SHOP_JOBS', 'SHOP_JOBS_WORK', 'SHOP_JOBS_TOKENS'],
  )
  // what was decided and paid stays when the context’s own stream forgets
  assert.equal([deployment.streams[0]?.maxAge, deployment.streams[2]?.maxAge], [3_600_000, 0])
  const jobs = deployment.jobs ?? []
  const [, triage] = jobs
  assert.equal(
    jobs.map(({ declaration }) => declaration.name),
    ['summary', 'triage'],
  )
  assert.not.ok(processorsOf(deployment).some(({ from }) => from.stream.name.startsWith('SHOP_JOBS')))
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  assert.ok((await planStreams(connection, deployment.streams)).every(({ kind }) => kind === 'unchanged'))
  const runtime = await createRuntime({ connection, deployment, clock: systemClock, log: silentLog, owner: 'test' })
  const publish = (type: string, data: object, id: string, source = '/test'): Promise<unknown> => {
    const draft = deployment.registry.get(type)?.(data, { id, source })
    return publishAll(connection, deployment.streams[0] as never, [draft as never])
  }
  await publish('triage.requested', { orderId: 'a1', amount: 5_000, note: 'fast' }, 'job "1" é')
  await publish('triage.requested', { orderId: 'b1', amount: 5, note: 'slow' }, 'job-2')
  await publish('triage.requested', { orderId: 'b1', amount: 5 }, 'no-note')
  await publish('summary.requested', { text: 'long' }, 'job-3')
  const { log } = jobPorts(triage as NonNullable<typeof triage>, { connection, clock: systemClock })
  await eventually('job-2 is recorded', async () => (await log.read('job-2')).version === 1 || undefined)
  await publish('summary.requested', { text: 'long' }, 'job-2', '/elsewhere')
  const lastIn = async (lane: Lane): Promise<unknown> => {
    const found = await readLast(connection, 'SHOP_JOBS_WORK', laneSubject('SHOP_JOBS_WORK', lane))
    return found === undefined ? undefined : (JSON.parse(new TextDecoder().decode(found.data)) as { id: string }).id
  }
  const lags = await eventually('all are taken', async () => {
    const all = await readHandlers(connection, systemClock, deployment.handlers ?? [])
    const letters = all.reduce((sum, { deadLetters }) => sum + deadLetters, 0)
    return letters === 2 && all.every(({ pending, inFlight }) => pending === 0 && inFlight === 0) ? all : undefined
  })
  assert.equal(lags.map(({ handler }) => handler).toSorted(), ['job-summary', 'job-triage'])
  assert.equal(
    [await lastIn('urgent'), await lastIn('standard'), await lastIn('batch')],
    ['job "1" é', 'job-2', 'job-3'],
  )
  assert.is((await connection.manager.streams.info('SHOP_JOBS_WORK')).state.messages, 3)
  const { state, version } = await log.read('job "1" é')
  assert.is(version, 1)
  assert.is(state.kind === 'waiting' && state.account.request.tenant, 'a')
  assert.is((await log.read('no-note')).version, 0, 'what cannot be asked is no job')
  const second = await log.read('job-2')
  assert.is(second.state.kind === 'waiting' && second.state.account.request.name, 'triage', 'the first one has the id')
  const { request } = (second.state as { account: { request: { inputEvents: readonly string[] } } }).account
  assert.equal(request.inputEvents, ['job-2'])
  assert.ok(
    (await readStatus(connection, systemClock, deployment)).handlers.some(({ handler }) => handler === 'job-triage'),
  )
  await runtime.stop()
})

test('JW1 with a stand-in they are done, a dead letter of one is redriven, and a process without a key says why they wait', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const [summary] = deployment.jobs ?? []
  const { log } = jobPorts(summary as NonNullable<typeof summary>, { connection, clock: systemClock })
  const own = { connection, deployment, clock: systemClock, log: silentLog, owner: 'test' }
  const draft = deployment.registry.get('summary.requested')?.({ text: 'long' }, { id: 's1', source: '/test' })
  const without = await createRuntime(own)
  await publishAll(connection, deployment.streams[0] as never, [draft as never])
  const waits = await eventually('it is said why they wait', async () => {
    const [jobs] = (await readStatus(connection, systemClock, deployment)).jobs
    return jobs?.waiting.batch === 1 && jobs.waitsFor.length > 0 ? jobs : undefined
  })
  assert.match(waits.waitsFor.join(), 'MODEL_KEY_MISSING')
  assert.not.ok(waits.started)
  await without.stop()
  const server = await startModelServer({
    answers: [modelAnswers.refusal(), modelAnswers.json({ short: 'no' })],
  })
  atEnd(() => server.stop())
  const runtime = await createRuntime({
    ...own,
    setting: (name) => (name === 'MILLRACE_MODEL_URL' ? server.url : undefined),
  })
  const letter = await eventually('it is a dead letter', async () => {
    const [found] = await readAll(connection, 'DEAD_LETTERS', ['millrace.dead.SHOP.*.handler-job-summary'])
    return found === undefined ? undefined : readDeadLetter(found)
  })
  assert.is(letter.code, 'JOB_DECLINED')
  const { handlers = [], streams, registry } = deployment
  const records = new LetterRecords(connection, systemClock)
  await records.prepare(1)
  const outcomes: LetterOutcome['kind'][] = []
  const redriving = new RedriveLetters({
    connection,
    clock: systemClock,
    signal: new AbortController().signal,
    registry,
    records,
    wait: true,
    places: { processors: [], handlers: handlers.map(({ declaration }) => declaration.name), streams },
    load: () => Promise.resolve(letter),
    onEnd: ({ kind }) => outcomes.push(kind),
  })
  await redriving.run([[letter.number]])
  assert.equal(outcomes, ['handled'])
  const state = await eventually('it is decided', async () => {
    const found = await log.read('s1')
    return found.state.kind === 'decided' ? found.state : undefined
  })
  assert.equal(state.decision, { short: 'no' })
  assert.equal([state.account.generation, state.account.begun], [1, 2])
  assert.is(server.totals().calls, 2)
  // its message goes after what it came to is on the log
  await eventually('none waits', async () => {
    const [jobs] = (await readStatus(connection, systemClock, deployment)).jobs
    return jobs?.waiting.batch === 0 || undefined
  })
  await runtime.stop()
  const [after] = (await readStatus(connection, systemClock, deployment)).jobs
  assert.equal(after?.waiting, { urgent: 0, standard: 0, batch: 0 })
})

test('what is declared twice, or nowhere, is refused with a code', async () => {
  const { streams, registry, jobs = [] } = await discover(FOLDER)
  const contexts = streams.filter(({ name }) => name === 'SHOP')
  const [summary, triage] = jobs.map(({ declaration }) => declaration) as [JobDeclaration, JobDeclaration]
  const event = { ...triage.on.event }
  const wrong: readonly (readonly [string, readonly JobDeclaration[]])[] = [
    ['two jobs are named "triage"', [triage, triage]],
    ['requests the job summary already', [summary, { ...triage, on: summary.on }]],
    ['stream "NONE" is not declared', [{ ...triage, on: { ...triage.on, stream: 'NONE' } }]],
    ['is in no events.ts', [{ ...triage, on: { ...triage.on, event: event as never } }]],
  ]
  for (const [detail, declared] of wrong)
    assert.throws(
      () => deployJobs(declared, contexts, registry),
      (error: unknown) => isFault(error, 'DECLARATION_INVALID') && error.detail.includes(detail),
      detail,
    )
})

test.run()
