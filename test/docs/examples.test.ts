// Every example is run as it says: its streams/ by the runtime, its program as a process of its own.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo } from '../support/broker.ts'
import { freePorts } from '../support/free-ports.ts'
import { startTestServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'

const test = suite('the examples')
const TOP = fileURLToPath(new URL('../..', import.meta.url))

/** @param port where the example’s program has a stand-in for a model */
async function tried(example: string, port?: number): Promise<string[]> {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = await discover(`${TOP}/examples/${example}/streams`)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const setting = (name: string): string | undefined =>
    name === 'MILLRACE_MODEL_URL' && port !== undefined ? `http://127.0.0.1:${port}` : undefined
  const shared = { connection, deployment, clock: systemClock, log: silentLog, owner: 'test' }
  const runtime = await createRuntime({ ...shared, setting })
  try {
    return await output(`${TOP}/examples/${example}/try.ts`, port === undefined ? [url] : [url, String(port)])
  } finally {
    await runtime.stop()
    await connection.close()
  }
}

function output(program: string, args: readonly string[]): Promise<string[]> {
  const child = spawn(process.execPath, [...testProgram(program), ...args], { cwd: TOP })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const late = setTimeout(() => child.kill('SIGKILL'), 150_000)
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      clearTimeout(late)
      if (code === 0) resolve(out.trimEnd().split('\n'))
      else reject(new Error(`${program} ended with ${code}\n${out}\n${err}`))
    })
  })
}

test('1: an account has one effect for one id, and refuses what it has not', async () => {
  assert.equal(await tried('01-account'), [
    'deposit of 50: told',
    'deposit of 50: was told before',
    'withdrawal of 20: accepted, version 2',
    'withdrawal of 40: rejected, insufficient-funds: there is 30',
  ])
})

test('2: an order is paid, or taken back at its deadline or when there is too little', async () => {
  const expected = [
    'quick: accepted',
    'quick: paid',
    'forgotten: accepted',
    'forgotten: the order is cancelled',
    'lucky: accepted',
    'lucky: paid',
    'late: accepted',
    'late: the order is cancelled',
  ]
  // it sleeps until a deadline is over, and on a busy machine what that leads to may come later
  let lines: readonly string[] = []
  for (let attempt = 1; attempt <= 3 && lines.join() !== expected.join(); attempt++)
    lines = await tried('02-order-saga')
  assert.equal(lines, expected)
})

test('3: a mailer that is busy is asked again with the same key, and one that refuses is not', async () => {
  assert.equal(await tried('03-handlers'), [
    'ann: busy',
    'ann: sent, by the key of the attempt before',
    'nobody: refused for good',
    'bob: busy',
    'bob: sent, by the key of the attempt before',
  ])
})

test('4: a ticket is asked about until there is an answer, one that is known is not, and what is refused is a dead letter', async () => {
  const [port] = await freePorts(1)
  assert.equal(await tried('04-jobs', port), [
    'ticket-1: {"desk":"billing"}, calls: 1',
    'ticket-2: {"desk":"technical"}, calls: 2',
    'ticket-3: {"desk":"billing"}, calls: 0',
    'ticket-4: a dead letter, calls: 1',
  ])
})

test.run()
