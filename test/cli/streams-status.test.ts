import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectTo, eventually } from '../support/broker.ts'
import { startTestServer } from '../support/nats.ts'
import { cli, deploymentFolder, jsonOf, orderLine, startCli } from './support.ts'

const test = suite('cli: streams, run, status, dead-letters')

let url = ''
let cwd = ''
const on = (...args: string[]) => cli([...args, '-s', url], { cwd })

test.before(async () => {
  url = (await startTestServer()).url
  cwd = await deploymentFolder()
})

test('streams plan shows what would be created, exit code 5; apply does it; then nothing is left', async () => {
  const plan = await on('streams', 'plan')
  assert.is(plan.code, 5)
  assert.is(
    plan.stdout,
    '+ SHOP  create\n+ DEAD_LETTERS  create\n2 to create. Carry it out with: millrace streams apply\n',
  )
  const run = await on('run')
  assert.is(run.code, 6)
  assert.match(run.stderr, /error STREAM_DRIFT[^]*SHOP does not exist[^]*millrace streams apply/)
  const apply = await on('streams', 'apply')
  assert.is(apply.code, 0)
  assert.is(apply.stdout, '+ SHOP  created\n+ DEAD_LETTERS  created\n2 created.\n')
  const again = await on('streams', 'plan', '--json')
  assert.is(again.code, 0)
  assert.is(jsonOf(again.stdout)['changes'], 0)
})

test('a stream that drifted: plan names the settings, run refuses, apply mends it', async () => {
  const { manager } = await connectTo(url)
  await manager.streams.update('SHOP', { max_age: 3_600_000_000_000 })
  const plan = await on('streams', 'plan')
  assert.is(plan.code, 5)
  assert.match(plan.stdout, /~ SHOP {2}update\n {4}max_age: 1h 0m → unlimited/)
  const { code, stderr } = await on('run')
  assert.is(code, 6)
  assert.match(stderr, /error STREAM_DRIFT[^]*SHOP: max_age/)
  assert.match((await on('streams', 'apply')).stdout, /~ SHOP {2}updated/)
})

test('a change that would break the order of keys is refused, and nothing is changed', async () => {
  const other = await deploymentFolder()
  const file = join(other, 'streams/shop/stream.ts')
  await writeFile(file, (await readFile(file, 'utf8')).replace('partitions: 4', 'partitions: 8'))
  const apply = await cli(['streams', 'apply', '-s', url], { cwd: other })
  assert.is(apply.code, 6)
  assert.match(apply.stderr, /! SHOP {2}refused[^]*error STREAM_CHANGE_REFUSED[^]*subject_transform/)
  assert.is((await on('streams', 'plan')).code, 0)
})

test('run serves until SIGTERM, then drains with exit code 0; status tells the truth from NATS alone', async () => {
  assert.match((await on('status')).stdout, /rules-SHOP +SHOP +never run/)
  const ready = join(cwd, 'ready.json')
  const run = startCli(['run', '-s', url, '--ready-file', ready], { cwd })
  await eventually('it is ready', () => readFile(ready, 'utf8').catch(() => undefined), 30_000)
  const lines = [1, 2, 3, 4].map((n) => orderLine(0, { amount: n * 400 })).join('\n')
  assert.is((await cli(['publish', '--file', '-', '-s', url], { cwd, input: lines })).code, 0)
  const status = await eventually(
    'all is processed',
    async () => {
      const now = jsonOf((await on('status', '--json')).stdout)
      const of = (name: string) => (now['processors'] as Record<string, any>[]).find((p) => p['processor'] === name)
      const [burst, large] = [of('rules-SHOP'), of('pipeline-large-orders')]
      const isDone = burst?.['outputs'] === 1 && burst['lag'] === 0 && large?.['turns'] >= 4 && large?.['lag'] === 0
      return isDone ? now : undefined
    },
    30_000,
  )
  const large = (status['processors'] as Record<string, any>[]).find((p) => p['processor'] === 'pipeline-large-orders')
  assert.is(large?.['outputs'], 2)
  assert.is(large?.['owner'].endsWith(`/${run.pid}`), true)
  assert.is(status['streams'][0].stream, 'SHOP')
  run.signal('SIGTERM')
  const { code, stdout, stderr } = await run.done
  assert.is(code, 0, stderr)
  for (const line of stdout.trim().split('\n')) assert.type(jsonOf(line)['msg'], 'string')
  assert.match(stdout, /"msg":"ready"/)
  assert.is(await readFile(ready, 'utf8').catch(() => 'removed'), 'removed')
  assert.match((await on('status')).stdout, /rules-SHOP +SHOP +\d+ +0 +\d+ +1 +0 /)
})

test('Ctrl-C is the normal end of run: exit code 0, and --only runs what it names', async () => {
  const ready = join(cwd, 'only.json')
  const run = startCli(['run', '-s', url, '--only', 'rules-SHOP', '--ready-file', ready], { cwd })
  const text = await eventually('it is ready', () => readFile(ready, 'utf8').catch(() => undefined), 30_000)
  assert.equal(jsonOf(text)['processors'], ['rules-SHOP'])
  run.signal('SIGINT')
  assert.is((await run.done).code, 0)
  const unknown = await on('run', '--only', 'rule-brust')
  assert.is(unknown.code, 3)
  assert.match(unknown.stderr, /error DECLARATION_UNKNOWN[^]*rules-SHOP/)
})

test('dead letters: none, then listed, filtered and shown with pointers and payload', async () => {
  assert.is((await on('dead-letters', 'list')).stdout, 'no dead letters\n')
  const missing = await on('dead-letters', 'show', '7')
  assert.is(missing.code, 3)
  assert.match(missing.stderr, /error DEAD_LETTER_NOT_FOUND[^]*number 7/)
  const connection = await connectTo(url)
  const { headers } = await import('@nats-io/transport-node')
  const of = headers()
  for (const [name, value] of [
    ['specversion', '1.0'],
    ['id', 'bad'],
    ['source', '/t'],
    ['type', 'order.placed'],
    ['dataversion', '2'],
  ] as const)
    of.set(`ce-${name}`, value)
  connection.nats.publish('shop.c%201.order.placed', JSON.stringify({ customer: 'c 1', amount: -1 }), { headers: of })
  const ready = join(cwd, 'dead.json')
  const run = startCli(['run', '-s', url, '--ready-file', ready], { cwd })
  const list = await eventually(
    'it is a dead letter',
    async () => {
      const { stdout } = await on('dead-letters', 'list', '--json')
      return jsonOf(stdout)['total'] > 0 ? jsonOf(stdout) : undefined
    },
    30_000,
  )
  run.signal('SIGTERM')
  await run.done
  const [letter] = list['deadLetters'] as Record<string, any>[]
  assert.is(letter?.['code'], 'EVENT_DATA_INVALID')
  assert.is(letter?.['id'], 'bad')
  const shown = await on('dead-letters', 'show', String(letter?.['number']))
  assert.match(shown.stdout, /code +EVENT_DATA_INVALID: the data of an event or a command does not follow its contract/)
  assert.match(shown.stdout, /\/amount: .*\n/)
  assert.match(shown.stdout, /stream +SHOP \d+/)
  assert.match(shown.stdout, /"customer": "c 1"/)
  const json = jsonOf((await on('dead-letters', 'show', String(letter?.['number']), '--json')).stdout)
  assert.equal(json['payload'], { json: { customer: 'c 1', amount: -1 } })
  assert.is(
    json['issues'].some(({ pointer }: { pointer?: string }) => pointer === '/amount'),
    true,
  )
  const filtered = await on('dead-letters', 'list', '--code', 'TURN_FAILED')
  assert.match(filtered.stdout, /^no dead letter of that kind among 1/)
})

test.run()
