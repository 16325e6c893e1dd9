// Dead letters of jobs: what redriving one says, what shows of a job that dies again, and what status counts.
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { listCommand } from '../../src/cli/dead-letters/list-command.ts'
import { redriveCommand } from '../../src/cli/dead-letters/redrive-command.ts'
import { showCommand } from '../../src/cli/dead-letters/show-command.ts'
import { readStatus } from '../../src/cli/status/read-status.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from '../support/cleanup.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('cli: dead letters of jobs')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))

test('LT5 a job that is redriven is said to be queued, one that dies again is another letter, and status counts what is left', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(FOLDER)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  // it does not die again before it was said that it is queued
  let sayNo = (): void => undefined
  const said = new Promise<void>((resolve) => (sayNo = resolve))
  const answers = [modelAnswers.refusal(), modelAnswers.refusal(), modelAnswers.json({ short: 'no' })]
  let calls = 0
  const server = await startModelServer({
    answers: async () => {
      const answer = answers[calls++]
      if (calls === 2) await said
      return answer
    },
  })
  atEnd(() => server.stop())
  const setting = (name: string): string | undefined => (name === 'MILLRACE_MODEL_URL' ? server.url : undefined)
  const own = { connection, deployment, clock: systemClock, log: silentLog, owner: 'test', setting }
  const runtime = await createRuntime(own)
  const context = (json = false): TestContext => ({
    ...cliContext({ json }),
    deployment: async () => deployment,
    connect: async () => connection,
  })
  const listed = async (): Promise<readonly number[]> => {
    const asked = context(true)
    await listCommand(asked, { limit: 10 })
    const { deadLetters } = JSON.parse(asked.out.text()) as { deadLetters: { number: number }[] }
    return deadLetters.map(({ number }) => number)
  }
  const only = (besides?: number) =>
    eventually('there is one', async () => {
      const [first, second] = await listed()
      return second === undefined && first !== besides ? first : undefined
    })
  const shown = async (number: number): Promise<string> => {
    const asked = context()
    await showCommand(asked, number)
    return asked.out.text()
  }
  const counted = async () => {
    const { deadLetters, handlers } = await readStatus(connection, systemClock, deployment)
    return [deadLetters, handlers.find(({ handler }) => handler === 'job-summary')?.deadLetters]
  }
  const draft = deployment.registry.get('summary.requested')?.({ text: 'long' }, { id: 's1', source: '/test' })
  await publishAll(connection, deployment.streams[0] as never, [draft as never])

  const first = await only()
  assert.equal(await counted(), [1, 1])
  const redriven = context()
  await redriveCommand(redriven, [first], { wait: true })
  assert.match(redriven.out.text(), `${first}  its job is in its queue again: millrace job show s1\n1 handled\n`)
  sayNo()
  const second = await only(first)
  assert.match(await shown(second), new RegExp(`before +letter ${first}, JOB_DECLINED`))
  assert.match(await shown(first), new RegExp(`state +again: letter ${second} now`))
  assert.equal(await counted(), [1, 1], 'the one that it is now')

  await redriveCommand(context(), [second], {})
  await eventually(
    'it is done with, though nobody has waited',
    async () => (await counted()).join() === '0,0' || undefined,
  )
  assert.match(await shown(second), /state +handled: its job is in its queue again: millrace job show s1/)
  await eventually('it is asked', () => server.totals().calls === 3 || undefined)
  assert.equal(await listed(), [])
  await runtime.stop()
})

test.run()
