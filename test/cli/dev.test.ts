import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/broker.ts'
import { testBinary } from '../support/nats.ts'
import { cli, deploymentFolder, jsonOf, orderLine, startCli, type CliRun } from './support.ts'

const test = suite('cli: dev')

const LOOPING = `
import { definePipeline } from 'millrace'
import { map } from 'rxjs'
import { OrderFlagged, OrderPlaced } from '../events.js'
export default definePipeline({
  name: 'loops',
  version: 1,
  from: { stream: 'SHOP', events: [OrderPlaced] },
  to: { stream: 'SHOP', events: [OrderFlagged] },
  recovery: { mode: 'stateless' },
  pipeline: (orders$) => orders$.pipe(map(({ data }) => { while (true); return OrderFlagged({ customer: data.customer, amount: data.amount }) })),
})
`

const started = async (cwd: string, args: readonly string[] = []): Promise<CliRun> => {
  const env = { NATS_SERVER_BIN: (await testBinary()).path }
  const ready = join(cwd, 'ready.json')
  await rm(ready, { force: true }) // of one that was killed
  const run = startCli(['dev', '--ready-file', ready, ...args], { cwd, env })
  await eventually('dev is ready', () => readFile(ready, 'utf8').catch(() => undefined), 100_000)
  return run
}

test('dev in a folder with streams/: other commands find its server; Ctrl-C ends it with exit code 0', async () => {
  const cwd = await deploymentFolder()
  const run = await started(cwd)
  // neither the address nor the credentials of a production server are used by accident
  const lines = [1, 2, 3].map(() => orderLine(0)).join('\n')
  assert.is((await cli(['publish', '--file', '-'], { cwd, input: lines })).code, 0)
  await eventually(
    'the rule has matched',
    async () => {
      const status = jsonOf((await cli(['status', '--json'], { cwd })).stdout)
      return (status['processors'] as Record<string, any>[]).some(
        (p) => p['processor'] === 'rules-SHOP' && p['outputs'] === 1,
      )
    },
    30_000,
  )
  run.signal('SIGINT')
  const { code, stdout } = await run.done
  assert.is(code, 0)
  assert.match(stdout, /"msg":"stopped"/)
  assert.is(await readFile(join(cwd, '.millrace/server.json'), 'utf8').catch(() => 'removed'), 'removed')
  assert.is(await readFile(join(cwd, '.millrace/.gitignore'), 'utf8'), '*\n')
})

test('what was published is there again when dev is started again', async () => {
  const cwd = await deploymentFolder()
  const first = await started(cwd)
  await cli(['publish', '--file', '-'], { cwd, input: orderLine(1) })
  first.signal('SIGTERM')
  assert.is((await first.done).code, 0)
  await rm(join(cwd, 'ready.json'), { force: true })
  const second = await started(cwd)
  const status = jsonOf((await cli(['status', '--json'], { cwd })).stdout)
  assert.ok(status['streams'][0].messages > 0)
  second.signal('SIGINT')
  await second.done
})

test('a busy port and a folder in use end in coded errors, exit code 6', async () => {
  const cwd = await deploymentFolder()
  const env = { NATS_SERVER_BIN: (await testBinary()).path }
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  const { port } = busy.address() as { port: number }
  const taken = await cli(['dev', '--port', String(port)], { cwd, env })
  busy.close()
  assert.is(taken.code, 6)
  assert.match(taken.stderr, new RegExp(`error SERVER_PORT_BUSY[^]*127\\.0\\.0\\.1:${port}`))
  const run = await started(cwd)
  const second = await cli(['dev'], { cwd, env })
  assert.is(second.code, 6)
  assert.match(second.stderr, /error SERVER_DATA_DIR_LOCKED/)
  run.signal('SIGINT')
  await run.done
})

test('a server of dev that is killed is started again, and the runtime goes on', async () => {
  const cwd = await deploymentFolder()
  const run = await started(cwd)
  process.kill(await serverOf(cwd), 'SIGKILL')
  await eventually('it is connected again', () => run.stdout().includes('connected to NATS again') || undefined, 30_000)
  assert.is(
    (await cli(['publish', 'order.placed', '--data', '{"customer":"c","amount":5000,"currency":"EUR"}'], { cwd })).code,
    0,
  )
  await eventually(
    'the pipeline has put out',
    async () => {
      const status = jsonOf((await cli(['status', '--json'], { cwd })).stdout)
      return (status['processors'] as Record<string, any>[]).some((p) => p['outputs'] === 1) || undefined
    },
    30_000,
  )
  run.signal('SIGINT')
  assert.is((await run.done).code, 0)
})

test('SW1 code that never returns ends it, with its server, and says where', async () => {
  const cwd = await deploymentFolder()
  const file = join(cwd, 'streams/shop/pipelines/loops.ts')
  await writeFile(file, LOOPING)
  // so long that a busy machine does not hold up the start for it
  const run = await started(cwd, ['--stuck-after', '4s'])
  const server = await serverOf(cwd)
  assert.is((await cli(['publish', '--file', '-'], { cwd, input: orderLine(0) })).code, 0)
  const { code, stderr } = await run.done
  assert.is.not(code, 0)
  assert.match(stderr, /"TURN_STUCK"[^]*pipeline-loops/)
  await eventually('its server has ended', () => !isAlive(server), 30_000)
})

test('no nats-server that can be used: says so before anything is started', async () => {
  const cwd = await deploymentFolder()
  const { code, stderr } = await cli(['dev'], { cwd, env: { NATS_SERVER_BIN: '/nowhere/nats-server' } })
  assert.is(code, 2)
  assert.match(stderr, /error SERVER_BINARY_UNUSABLE[^]*\/nowhere\/nats-server/)
})

/** The process that the lock of the data directory names as the server. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function serverOf(cwd: string): Promise<number> {
  const { readdir } = await import('node:fs/promises')
  const folder = join(cwd, '.millrace/nats')
  const lock = (await readdir(folder)).find((name) => /^millrace\.lock\.\d+$/.test(name))
  return jsonOf(await readFile(join(folder, lock ?? ''), 'utf8'))['server'].pid as number
}

test.run()
