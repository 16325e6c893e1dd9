import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/broker.ts'
import { freePorts } from '../support/free-ports.ts'
import { startTestServer } from '../support/nats.ts'
import { deploymentFolder, startCli } from './support.ts'

const test = suite('cli: run without a server')

test('waits for the server and says so; when it is there, it runs', async () => {
  const cwd = await deploymentFolder()
  const [port = 0] = await freePorts(1)
  const run = startCli(['run', '--apply', '-s', `nats://127.0.0.1:${port}`, '--ready-file', 'ready.json'], { cwd })
  await eventually('it waits', () => /waiting for the NATS server.*/.exec(run.stdout())?.[0], 30_000)
  assert.match(run.stdout(), '"code":"BROKER_UNREACHABLE"')
  assert.match(run.stdout(), `127.0.0.1:${port}`)
  await startTestServer({ port })
  await eventually('it is ready', () => readFile(join(cwd, 'ready.json'), 'utf8').catch(() => undefined), 30_000)
  assert.is(run.stdout().split('waiting for the NATS server').length, 2, 'it does not say so again and again')
  run.signal('SIGTERM')
  assert.is((await run.done).code, 0)
})

test('a wait is ended by SIGTERM, with exit code 0', async () => {
  const cwd = await deploymentFolder()
  const run = startCli(['run', '-s', 'nats://127.0.0.1:1'], { cwd })
  await eventually('it waits', () => /waiting for the NATS server/.exec(run.stdout())?.[0], 30_000)
  run.signal('SIGTERM')
  assert.is((await run.done).code, 0)
})

test.run()
