// `millrace job replay` of several contexts, which have jobs of one id.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { join } from 'node:path'
import { z } from 'zod'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { replayCommand } from '../../src/cli/job/replay-command.ts'
import type { ReplayFlags } from '../../src/cli/job/replay-flags.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { defineJob } from '../../src/job/define-job.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'
import type { JobEvent } from '../../src/job/job-event.ts'
import { deployJobs } from '../../src/runtime/deployed-jobs.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { jobPorts } from '../../src/runtime/open-job.ts'
import { modelAnswers } from '../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { cliContext } from '../support/cli-context.ts'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'

const test = suite('cli: job replay of several contexts')
const Asked = defineEvent('case.asked', { data: z.object({ text: z.string() }) })

function jobNamed(name: string, stream: string) {
  const prompt = definePrompt({ id: name, version: 1, user: `${name} judges {{text}}` })
  const result = z.object({ by: z.string() })
  return defineJob({ name, on: { stream, event: Asked }, prompt, result, model: 'claude-haiku-5-5', maxTokens: 50 })
}

function requested(id: string, name: string): JobEvent {
  const place = { lane: 'standard', tenant: 'acme', inputEvents: [id], deadline: undefined } as const
  return { type: 'job.requested', at: 1, request: { id, name, input: { text: id }, ...place } }
}

test('RA1 each is asked its own question, and none again, where two contexts have a job of one id', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const streams = ['ORDERS', 'BILLS'].map((name) => defineStream({ name, root: name.toLowerCase(), partitions: 1 }))
  const registry = { get: () => Asked } as unknown as Deployment['registry']
  const jobs = deployJobs([jobNamed('order', 'ORDERS'), jobNamed('bill', 'BILLS')], streams, registry)
  await applyStreams(connection, await planStreams(connection, [...streams, ...jobs.map(({ records }) => records)]))
  for (const job of jobs) {
    const { log } = jobPorts(job, { connection, clock: systemClock })
    await log.append('4711', 0, [requested('4711', job.declaration.name)], {
      correlationId: undefined,
      causationId: 'e',
    })
  }
  const server = await startModelServer({
    answers: ({ text }) => modelAnswers.json({ by: /(\w+) judges/.exec(text)?.[1] }),
  })
  atEnd(() => server.stop())
  const output = join(await temporaryDirectory(), 'answers.ndjson')
  const replayed = async (flags: Partial<ReplayFlags>): Promise<unknown> => {
    const context = {
      ...cliContext({ json: true }),
      env: { MILLRACE_MODEL_URL: server.url },
      deployment: async () => ({ streams, jobs, registry }) as unknown as Deployment,
      connect: async () => connection,
    }
    await replayCommand(context, { concurrency: 1, ...flags })
    const lines = context.out.text().trim().split('\n')
    return lines.map((line) => JSON.parse(line)).flatMap(({ name, now }) => (now === undefined ? [] : [[name, now]]))
  }
  const rows = [
    ['order', { kind: 'decided', decision: { by: 'order' } }],
    ['bill', { kind: 'decided', decision: { by: 'bill' } }],
  ]
  assert.equal(await replayed({ model: 'claude-sonnet-5-5', output }), rows)
  assert.equal(await replayed({ resume: output }), rows)
  assert.is(server.totals().calls, 2)
})

test.run()
