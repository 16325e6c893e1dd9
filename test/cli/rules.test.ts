import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, deploymentFolder, jsonOf, orderLine } from './support.ts'

const test = suite('cli: rules')

const BROKEN = `rule: broken
on: SHOP
key: data.customer
sequence:
  - order: { event: order.plaecd, times: 3 }
  - big: { event: order.placed, where: data.amuont > 3 }
within: 1m
emit: { event: burst.seen, data: { customer: key, orders: 1 } }
`

const order = (second: number): string =>
  JSON.stringify({ ...JSON.parse(orderLine(0)), time: `2026-01-01T10:00:0${second}Z` })

test('rules check finds nothing wrong with right rules', async () => {
  const { code, stdout } = await cli(['rules', 'check'], { cwd: await deploymentFolder() })
  assert.is(code, 0)
  assert.match(stdout, /^ok {4}streams\/shop\/rules\/burst\.yaml {2}burst\n1 rule, nothing to correct\n$/)
})

test('rules check prints each mistake as file:line:column, exit code 5', async () => {
  const cwd = await deploymentFolder()
  await writeFile(join(cwd, 'streams/shop/rules/broken.yaml'), BROKEN)
  const { code, stdout } = await cli(['rules', 'check'], { cwd })
  assert.is(code, 5)
  assert.match(stdout, /^ {6}streams\/shop\/rules\/broken\.yaml:5:21: .*order\.placed/m)
  assert.match(stdout, /^ {6}streams\/shop\/rules\/broken\.yaml:6:\d+: .*amuont/m)
  assert.match(stdout, /2 rules, 2 mistakes in 1 of them/)
  const { code: jsonCode, stdout: json } = await cli(['rules', 'check', '--json'], { cwd })
  assert.is(jsonCode, 5)
  const [first] = jsonOf(json)['problems'] as { file: string; line: number; column: number; detail: string }[]
  assert.is(first?.line, 5)
  assert.is(first?.column, 21)
  assert.is((await cli(['rules', 'check', 'streams/shop/rules/burst.yaml'], { cwd })).code, 0)
})

test('a rule that reads a stream which is not declared is a mistake', async () => {
  const cwd = await deploymentFolder()
  await writeFile(
    join(cwd, 'other.yaml'),
    BROKEN.replace('SHOP', 'STORE').replace('plaecd', 'placed').replace('amuont', 'amount'),
  )
  const { code, stdout } = await cli(['rules', 'check', 'other.yaml'], { cwd })
  assert.is(code, 5)
  assert.match(stdout, /other\.yaml: stream STORE is not declared; there are: SHOP/)
})

test('a mistake in a rule stops run, with its place, and does not stop publish --dry-run', async () => {
  const cwd = await deploymentFolder()
  await writeFile(join(cwd, 'streams/shop/rules/broken.yaml'), BROKEN)
  const run = await cli(['run', '--server', 'nats://127.0.0.1:1'], { cwd })
  assert.is(run.code, 2)
  assert.match(run.stderr, /error RULE_INVALID[^]*broken\.yaml:5:21: /)
  assert.is((await cli(['publish', '--file', '-', '--dry-run'], { cwd, input: `${orderLine(1)}\n` })).code, 0)
})

test('rules run prints what a rule finds in a recording, without a server', async () => {
  const cwd = await deploymentFolder()
  const input = [1, 2, 3, 4].map(order).join('\n')
  const text = await cli(['rules', 'run', 'burst', '--file', '-'], { cwd, input })
  assert.is(text.code, 0)
  assert.is(
    text.stdout,
    'c0  2026-01-01T10:00:01.000Z to 2026-01-01T10:00:03.000Z  lines: order 1,2,3\n    burst.seen {"customer":"c0","orders":3}\n',
  )
  assert.match(text.stderr, /^1 match in 4 events/)
  const json = await cli(['rules', 'run', 'streams/shop/rules/burst.yaml', '--file', '-', '--json'], { cwd, input })
  const [match, summary] = json.stdout.trim().split('\n').map(jsonOf)
  assert.equal(match?.['emits'], { type: 'burst.seen', key: 'c0', data: { customer: 'c0', orders: 3 } })
  assert.is(match?.['stages'].order[2].line, 3)
  assert.is(summary?.['matches'], 1)
})

test('rules run names each line that is no event and goes on with the rest', async () => {
  const cwd = await deploymentFolder()
  const input = [order(1), '{"type":', order(2), order(3)].join('\n')
  const { code, stdout, stderr } = await cli(['rules', 'run', 'burst', '--file', '-'], { cwd, input })
  assert.is(code, 1)
  assert.match(stdout, /burst\.seen/)
  assert.match(stderr, /^standard input:2: INPUT_LINE_INVALID it is not JSON/)
  assert.match(stderr, /error INPUT_REJECTED/)
})

test('rules run takes the time of storage from a recording, and its own time where there is none', async () => {
  const cwd = await deploymentFolder()
  const stored = (second: number, time: string): string =>
    JSON.stringify({ ...JSON.parse(order(second)), time, storedtime: `2026-01-01T10:00:0${second}Z` })
  const lines = (ahead: string) => [order(1), ahead, order(2), order(3)].join('\n')
  const run = async (ahead: string) => {
    const { stdout } = await cli(['rules', 'run', 'burst', '--file', '-', '--json'], { cwd, input: lines(ahead) })
    return jsonOf(stdout.trim().split('\n').at(-1) ?? '')
  }
  const wrong = await run(stored(1, '2099-01-01T00:00:00Z'))
  assert.equal([wrong['matches'], wrong['late'], wrong['ahead']], [1, 0, 1])
  const unknown = await run(JSON.stringify({ ...JSON.parse(order(1)), time: '2099-01-01T00:00:00Z' }))
  assert.equal([unknown['matches'], unknown['late'], unknown['ahead']], [0, 2, 0])
})

test('an unknown rule and an unreadable file are said with what there is', async () => {
  const cwd = await deploymentFolder()
  const rule = await cli(['rules', 'run', 'brust', '--file', '-'], { cwd })
  assert.is(rule.code, 3)
  assert.match(rule.stderr, /error DECLARATION_UNKNOWN[^]*there are: burst/)
  const file = await cli(['rules', 'run', 'burst', '--file', 'none.ndjson'], { cwd })
  assert.is(file.code, 3)
  assert.match(file.stderr, /error INPUT_UNREADABLE[^]*none\.ndjson/)
})

test.run()
