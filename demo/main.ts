// npm run demo [-- --json] [--stay] [--events N] [--seed N] [--model]
//
// The main job, end to end: a server of its own, the streams of this repository, real metrics and generated payments
// published, pipelines and rules run in a process that is killed in the middle, and then everything that came out held
// against a replay of the log and against the labels. Ends with 0 only if nothing was lost, doubled or different.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { applyStreams } from '../src/broker/apply-streams.ts'
import { connectBroker } from '../src/broker/connection.ts'
import { startEmbeddedServer } from '../src/broker/embedded-server.ts'
import { planStreams } from '../src/broker/plan-streams.ts'
import { resolveServerBinary } from '../src/broker/server-binary.ts'
import { isFault } from '../src/error/millrace-error.ts'
import { discover } from '../src/runtime/discover.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { DemoModel } from './model.ts'
import { Narrator } from './narrate.ts'
import { report } from './report.ts'
import { runScenario } from './scenario.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    stay: { type: 'boolean', default: false },
    events: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    model: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(`npm run demo [-- OPTIONS]

  --json       the result as one JSON object, on the last line
  --stay       keep the server running afterwards, to look around
  --events N   payments to generate (default 100000)
  --seed N     seed of the generator (default 1)
  --model      have jobs ask the real model, which costs money: needs ANTHROPIC_API_KEY (default: a stand-in)`)
  process.exit(0)
}

const tell = new Narrator(values.json)
const abort = new AbortController()
process.once('SIGINT', () => {
  abort.abort()
  process.once('SIGINT', () => process.exit(130))
})

const dataDir = await mkdtemp(join(tmpdir(), 'millrace-demo-'))
let code = 1
try {
  code = await demo()
} catch (error) {
  if (abort.signal.aborted) code = 130
  else if (isFault(error)) {
    tell.fail(`${error.message}\n${error.advice}`)
    code = error.exit
  } else tell.fail(error instanceof Error ? (error.stack ?? error.message) : String(error))
} finally {
  await rm(dataDir, { recursive: true, force: true })
}
process.exit(code)

async function demo(): Promise<number> {
  const started = performance.now()
  tell.step('nats-server')
  const binary = await resolveServerBinary({
    env: process.env,
    clock: systemClock,
    signal: abort.signal,
    onProgress: ({ text }) => tell.note(text),
  })
  const model = await DemoModel.start(values.model, process.env)
  const server = await startEmbeddedServer({ binary: binary.path, dataDir, clock: systemClock, signal: abort.signal })
  const ready = performance.now()
  tell.done(`nats-server at ${server.url}, store in a temporary directory`)
  try {
    const connection = await connectBroker({
      servers: [server.url],
      auth: { kind: 'none' },
      name: 'millrace-demo',
      timeout: 10_000,
      origin: 'the demo',
    })
    tell.step('streams')
    const deployment = await discover(fileURLToPath(new URL('../streams', import.meta.url)))
    const plan = await planStreams(connection, deployment.streams)
    await applyStreams(connection, plan)
    tell.done(plan.map(({ stream }) => stream).join(', '))
    const result = await runScenario({
      connection,
      url: server.url,
      deployment,
      model,
      tell,
      signal: abort.signal,
      events: Number(values.events),
      seed: Number(values.seed),
    })
    const seconds = (performance.now() - started) / 1_000
    // fetching a server the first time is not the runtime's doing: told apart in the result
    const currency = deployment.models?.prices?.currency ?? ''
    const serverSeconds = (ready - started) / 1_000
    const failed = report(result, { seconds, serverSeconds, json: values.json, currency, tell })
    if (values.stay && !failed) await stay(server.url)
    await connection.close()
    return failed ? 5 : 0
  } finally {
    await server.stop()
    await model.stop()
  }
}

async function stay(url: string): Promise<void> {
  tell.say(`
The server stays at ${url} until Ctrl-C. In another terminal:
  npx millrace status --server ${url}
  npx millrace dead-letters list --server ${url}
  npx millrace job list --limit 10 --server ${url}      # and job show ID
  npx millrace replay --server ${url} --stream PAYMENTS --from-seq 1 --rule card-testing --compare
  npx millrace dev                      # a server and a store of your own`)
  await new Promise((resolve) => abort.signal.addEventListener('abort', resolve, { once: true }))
}
