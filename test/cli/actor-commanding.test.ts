import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime, type Runtime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'
import { cli as runCli, startCli, type CliResult, type CliRun } from './support.ts'

const FOLDER = fileURLToPath(new URL('../../streams', import.meta.url))

interface World {
  readonly cli: (...args: readonly string[]) => Promise<CliResult>
  readonly commandsStored: () => Promise<number>
  readonly start: (...args: readonly string[]) => CliRun
  readonly run: () => Promise<Runtime>
}

const test = suite<World>('millrace actor list, tell and request')

test.before(async (world) => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const deployment = { ...(await discover(FOLDER)), pipelines: [], rules: [] }
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const cwd = await temporaryDirectory()
  const only = ({ name }: { readonly name: string }): boolean => name === 'stock'
  Object.assign(world, {
    cli: (...args: readonly string[]) => runCli(['--streams', FOLDER, '-s', url, ...args], { cwd }),
    commandsStored: async () => (await connection.manager.streams.info('SUPPLY_COMMANDS')).state.last_seq,
    start: (...args: readonly string[]) => startCli(['--streams', FOLDER, '-s', url, ...args], { cwd }),
    run: () => createRuntime({ connection, deployment, clock: systemClock, log: silentLog, owner: 'worker-1', only }),
  })
})

const add = (quantity: number): string[] => ['--data', JSON.stringify({ sku: 'bolt', quantity })]
const reserve = (quantity: number): string[] => ['--data', JSON.stringify({ sku: 'bolt', orderId: 'o1', quantity })]

test('a command is told though nobody runs its actor; a request for it is not answered in time, and says so', async ({
  cli,
}) => {
  const told = await cli('--json', 'actor', 'tell', 'stock', 'bolt', 'add', ...add(3), '--id', 'c1')
  assert.is(told.code, 0, told.stderr)
  const expected = {
    actor: 'stock',
    id: 'bolt',
    type: 'stock.add',
    commandId: 'c1',
    stream: 'SUPPLY_COMMANDS',
    sequence: 1,
  }
  assert.equal(JSON.parse(told.stdout), { ...expected, duplicate: false })
  const again = await cli('actor', 'tell', 'stock', 'bolt', 'stock.add', ...add(3), '--id', 'c1')
  assert.match(again.stdout, /was told before: SUPPLY_COMMANDS 1/)
  // where the receipt comes later than that, it is asked again: it has one effect
  const late = await eventually('its place is known', async () => {
    const told = await cli('actor', 'request', 'stock', 'bolt', 'add', ...add(4), '--id', 'c2', '--wait', '300ms')
    assert.is(told.code, 8)
    return told.stderr.includes('no stream has confirmed') ? undefined : told
  })
  assert.match(late.stderr, /COMMAND_OUTCOME_UNKNOWN.*\n?.*sequence 2 of SUPPLY_COMMANDS/s)
})

test('a request prints what became of the command, and its exit code says it too', async ({ cli, run }) => {
  const runtime = await run()
  const found = await cli('--json', 'actor', 'request', 'stock', 'bolt', 'add', ...add(4), '--id', 'c2')
  assert.is(found.code, 0, found.stderr)
  const { kind, version, events } = JSON.parse(found.stdout) as { kind: string; version: number; events: unknown[] }
  assert.equal([kind, version, events.length], ['accepted', 2, 1])
  const short = await cli('actor', 'request', 'stock', 'bolt', 'reserve', ...reserve(9))
  assert.match(short.stdout, /stock\.reserve of stock bolt accepted: 1 event, version 3\n {2}stock\.short/)
  const stock = await eventually('all units have an owner', async () => {
    const listed = await cli('--json', 'actor', 'list')
    const { actors } = JSON.parse(listed.stdout) as { actors: { actor: string; aggregates: number; owners: object }[] }
    const found = actors.find(({ actor }) => actor === 'stock')
    return Object.values(found?.owners ?? {}).join() === '4' ? found : undefined
  })
  assert.is(stock.aggregates, 1)
  assert.match((await cli('actor', 'list')).stdout, /stock +1 +SUPPLY +1 +4\/4 +worker-1/)
  await runtime.stop()
})

test('mistakes are told before anything is sent', async ({ cli }) => {
  const cases: readonly (readonly [args: string[], code: number, text: RegExp])[] = [
    [['stok', 'bolt', 'add', ...add(1)], 3, /there are: .*stock/],
    [['stock', 'bolt', 'stock.ad', ...add(1)], 3, /did you mean stock\.add/],
    [['stock', 'nut', 'add', ...add(1)], 2, /the data is for "bolt"/],
    [['stock', 'bolt', 'add', '--data', '{'], 2, /--data is not JSON/],
    [['stock', 'bolt', 'add', ...add(-1)], 1, /EVENT_DATA_INVALID/],
  ]
  const results = await Promise.all(cases.map(([args]) => cli('actor', 'tell', ...args)))
  for (const [at, [, code, text]] of cases.entries()) {
    assert.match(results[at]?.stderr ?? '', text)
    assert.is(results[at]?.code, code)
  }
})

test('a request that is stopped while it waits says which id has it repeated without a second effect', async ({
  cli,
  start,
  commandsStored,
}) => {
  const data = { sku: 'nut', quantity: 1 }
  const args = ['actor', 'request', 'stock', 'nut', 'add', '--data', JSON.stringify(data)]
  const before = await commandsStored()
  const waiting = start(...args)
  await eventually('it is stored', async () => (await commandsStored()) > before)
  waiting.signal('SIGINT')
  const stopped = await waiting.done
  assert.is(stopped.code, 130)
  const [, id = ''] = /again with --id (\S+),/.exec(stopped.stderr) ?? []
  const again = await cli('actor', 'tell', 'stock', 'nut', 'add', ...args.slice(5), '--id', id)
  assert.match(again.stdout, /was told before/)
})

test.run()
