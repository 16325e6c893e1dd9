// What happens to commands when the world around them breaks.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectTo, eventually } from '../support/broker.ts'
import { ownServer, startTestServer } from '../support/nats.ts'
import { cli, deploymentFolder, jsonOf, orderLine, startCli, type CliRun } from './support.ts'

const test = suite('cli: faults')

async function running(url: string, cwd: string, name: string): Promise<CliRun> {
  const file = join(cwd, name)
  const run = startCli(['run', '-s', url, '--ready-file', file], { cwd })
  await eventually(`${name} is ready`, () => readFile(file, 'utf8').catch(() => undefined), 30_000)
  return run
}

async function outputsOf(url: string, cwd: string, processor: string): Promise<number> {
  const { stdout } = await cli(['status', '--json', '-s', url], { cwd })
  const all = jsonOf(stdout)['processors'] as Record<string, any>[]
  return (all.find((each) => each['processor'] === processor)?.['outputs'] as number | undefined) ?? 0
}

test('L3 storage that is full stops a publish with STREAM_FULL and the line to go on from; then it goes on', async () => {
  const { url } = await startTestServer({ config: 'jetstream { max_file_store: 4MB }' })
  const cwd = await deploymentFolder()
  const applied = await cli(['streams', 'apply', '-s', url], { cwd })
  assert.is(applied.code, 0, applied.stderr)
  const note = 'x'.repeat(20_000)
  const input = Array.from({ length: 300 }, (_, index) => orderLine(index + 1, { note })).join('\n')
  const full = await cli(['publish', '--file', '-', '-s', url], { cwd, input })
  assert.is(full.code, 1)
  assert.match(full.stderr, /error STREAM_FULL/)
  const resume = Number(/--from-line (\d+)/.exec(full.stderr)?.[1])
  const { manager } = await connectTo(url)
  assert.is((await manager.streams.info('SHOP')).state.messages, resume - 1)
  await manager.streams.purge('SHOP')
  assert.is((await cli(['publish', '--file', '-', '--from-line', String(resume), '-s', url], { cwd, input })).code, 0)
  assert.is((await manager.streams.info('SHOP')).state.messages, 300 - resume + 1)
})

test('a second run shares the work, and has all of it when the first has stopped: each output once', async () => {
  const { url } = await startTestServer()
  const cwd = await deploymentFolder()
  await cli(['streams', 'apply', '-s', url], { cwd })
  const first = await running(url, cwd, 'first.json')
  const second = await running(url, cwd, 'second.json')
  const publish = async (from: number, count: number): Promise<void> => {
    const input = Array.from({ length: count }, (_, at) => orderLine(from + at, { amount: 2_000 })).join('\n')
    assert.is((await cli(['publish', '--file', '-', '-s', url], { cwd, input })).code, 0)
  }
  const put = (count: number): Promise<unknown> =>
    eventually(
      `${count} outputs`,
      async () => ((await outputsOf(url, cwd, 'pipeline-large-orders')) === count ? true : undefined),
      30_000,
    )
  await publish(1, 3)
  await put(3)
  first.signal('SIGTERM')
  assert.is((await first.done).code, 0)
  await publish(4, 2)
  await put(5)
  second.signal('SIGTERM')
  assert.is((await second.done).code, 0)
})

test('a server that is killed and comes back while run is at work: it goes on, each output once', async () => {
  const server = await ownServer()
  const cwd = await deploymentFolder()
  await cli(['streams', 'apply', '-s', server.url], { cwd })
  const run = await running(server.url, cwd, 'run.json')
  const publish = (from: number): Promise<{ code: number | null }> => {
    const input = Array.from({ length: 200 }, (_, index) => orderLine(from + index, { amount: 1_000 + index })).join(
      '\n',
    )
    return cli(['publish', '--file', '-', '-s', server.url], { cwd, input })
  }
  assert.is((await publish(1)).code, 0)
  await server.kill()
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  await server.restart()
  assert.is((await publish(201)).code, 0)
  await eventually(
    'all is put out',
    async () => ((await outputsOf(server.url, cwd, 'pipeline-large-orders')) >= 400 ? true : undefined),
    30_000,
  )
  run.signal('SIGTERM')
  const { code, stderr } = await run.done
  assert.is(code, 0, stderr)
  assert.is(await outputsOf(server.url, cwd, 'pipeline-large-orders'), 400)
})

test('status --watch goes on until Ctrl-C, its normal end; with --json it is one document a line', async () => {
  const { url } = await startTestServer()
  const cwd = await deploymentFolder()
  const run = startCli(['status', '--watch', '100ms', '--json', '-s', url], { cwd })
  await eventually('two documents', () => run.stdout().split('\n').length > 2 || undefined)
  run.signal('SIGINT')
  const { code, stdout } = await run.done
  assert.is(code, 0)
  for (const line of stdout.trim().split('\n')) assert.is(jsonOf(line)['deadLetters'], 0)
})

test.run()
