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

test('rules check prints each mistake as file:line:column, exit code 2', async () => {
  const cwd = await deploymentFolder()
  await writeFile(join(cwd, 'streams/shop/rules/broken.yaml'), BROKEN)
  const { code, stdout } = await cli(['rules', 'check'], { cwd })
  assert.is(code, 2)
  assert.match(stdout, /^ {6}streams\/shop\/rules\/broken\.yaml:5:21: .*order\.placed/m)
  assert.match(stdout, /^ {6}streams\/shop\/rules\/broken\.yaml:6:\d+: .*amuont/m)
  assert.match(stdout, /2 rules, 2 mistakes in 1 of them/)
  const { code: jsonCode, stdout: json } = await cli(['rules', 'check', '--json'], { cwd })
  assert.is(jsonCode, 2)
  const [first] = jsonOf(json)['problems'] as { file: string; line: number; column: number; detail: string }[]
  assert.is(first?.line, 5)
  assert.is(first?.column, 21)
  assert.is((await cli(['rules', 'check', 'streams/shop/rules/burst.yaml'], { cwd })).code, 0)
  const named = await cli(['rules', 'check', 'burst'], { cwd })
  assert.match(named.stdout, /^ok {4}streams\/shop\/rules\/burst\.yaml {2}burst\n1 rule, nothing/)
  assert.match((await cli(['rules', 'check', 'broken'], { cwd })).stdout, /broken\.yaml:5:21: .*order\.placed/)
  const unknown = await cli(['rules', 'check', 'brust'], { cwd })
  assert.is(unknown.code, 3)
  assert.match(unknown.stderr, /rule "brust"; there are: burst[^]*did you mean burst\?/)
})

test('a rule that reads a stream which is not declared is a mistake', async () => {
  const cwd = await deploymentFolder()
  await writeFile(
    join(cwd, 'other.yaml'),
    BROKEN.replace('SHOP', 'STORE').replace('plaecd', 'placed').replace('amuont', 'amount'),
  )
  const { code, stdout } = await cli(['rules', 'check', 'other.yaml'], { cwd })
  assert.is(code, 2)
  assert.match(stdout, /other\.yaml:2:1: RULE_INVALID stream STORE is not declared; there are: SHOP/)
})

test('rules that cause each other are told at the emit of each, by check and when they would start', async () => {
  const cwd = await deploymentFolder()
  const rule = (name: string, reads: string, emits: string, data: string) =>
    `rule: ${name}\non: SHOP\nkey: "'all'"\nsequence:\n  - one: { event: ${reads} }\nwithin: 1m\nemit: { event: ${emits}, data: ${data} }\n`
  await writeFile(
    join(cwd, 'streams/shop/rules/there.yaml'),
    rule('there', 'burst.seen', 'order.placed', `{ customer: "'c'", amount: 1, currency: "'EUR'" }`),
  )
  await writeFile(
    join(cwd, 'streams/shop/rules/back.yaml'),
    rule('back', 'order.placed', 'burst.seen', `{ customer: "'c'", orders: 1 }`),
  )
  const { code, stdout } = await cli(['rules', 'check'], { cwd })
  assert.is(code, 2)
  assert.match(stdout, /there\.yaml:7:1: RULE_CYCLIC .*for ever: .*there/)
  assert.match(stdout, /back\.yaml:7:1: RULE_CYCLIC/)
  const run = await cli(['run', '--server', 'nats://127.0.0.1:1'], { cwd })
  assert.is(run.code, 2)
  assert.match(run.stderr, /error RULE_CYCLIC/)
})

const TESTED = `rule: tested
on: SHOP
key: data.customer
sequence:
  - orders: { event: order.placed, times: 2 }
within: 1m
emit: { event: burst.seen, data: { customer: key, orders: count(orders) } }
tests:
  - name: two in a minute
    given: [{ order.placed: ORDER }, { +10s order.placed: ORDER }]
    expect: { orders: 2 }
  - name: two in an hour
    given: [{ order.placed: ORDER }, { +1h order.placed: ORDER }]
    expect: none
`.replaceAll('ORDER', JSON.stringify(JSON.parse(orderLine(0)).data))

test('rules test runs the tests in rules, exit code 0 when all pass, and names rules without any', async () => {
  const cwd = await deploymentFolder()
  await writeFile(join(cwd, 'streams/shop/rules/tested.yaml'), TESTED)
  const { code, stdout } = await cli(['rules', 'test'], { cwd })
  assert.is(code, 0, stdout)
  assert.match(stdout, /^none {3}burst {2}streams\/shop\/rules\/burst\.yaml has no tests$/m)
  assert.match(stdout, /^passed tested {2}two in a minute$/m)
  assert.match(stdout, /2 tests passed, 0 failed\n$/)
  const json = jsonOf((await cli(['rules', 'test', 'tested', '--json'], { cwd })).stdout)
  assert.equal([json['passed'], json['failed'], json['untested']], [2, 0, []])
})

const CODE = `import { defineRule } from 'millrace'
import { BurstSeen, OrderPlaced } from '../events.js'
export default defineRule({
  name: 'coded',
  on: 'SHOP',
  key: (event) => event.data.customer,
  find: { sequence: { stages: [{ kind: 'take', name: 'orders', events: [OrderPlaced.type], times: { min: 2, max: 2 } }], within: 60_000 } },
  emit: { event: BurstSeen, data: ({ key }) => ({ customer: key, orders: 2 }) },
  tests: [{ name: 'none', given: [], expect: 'none' }],
})
`

test('a rule in TypeScript is checked, tested and run like one in YAML', async () => {
  const cwd = await deploymentFolder()
  await writeFile(join(cwd, 'streams/shop/rules/coded.ts'), CODE)
  const checked = await cli(['rules', 'check'], { cwd })
  assert.is(checked.code, 0, checked.stdout + checked.stderr)
  assert.match(checked.stdout, /^ok {4}streams\/shop\/rules\/coded\.ts {2}coded$/m)
  assert.match((await cli(['rules', 'test', 'coded'], { cwd })).stdout, /^passed coded {2}none$/m)
  await writeFile(join(cwd, 'streams/shop/rules/coded.ts'), 'export default 3\n')
  const broken = await cli(['rules', 'check'], { cwd })
  assert.is(broken.code, 2)
  assert.match(broken.stdout, /coded\.ts:1:1: DECLARATION_INVALID .*no rule/)
})

test('rules test prints what differed, exit code 1; a rule with mistakes is exit code 2', async () => {
  const cwd = await deploymentFolder()
  const file = join(cwd, 'failing.yaml')
  await writeFile(file, TESTED.replace('orders: 2 }', 'orders: 3 }'))
  const { code, stdout, stderr } = await cli(['rules', 'test', 'failing.yaml'], { cwd })
  assert.is(code, 1)
  assert.match(stdout, /failed tested {2}two in a minute {2}failing\.yaml:9:5\n {9}1: data\.orders: expected 3, was 2/)
  assert.match(stdout, /1 test passed, 1 failed/)
  assert.match(stderr, /error RULE_TESTS_FAILED/)
  await writeFile(file, BROKEN)
  assert.is((await cli(['rules', 'test', 'failing.yaml'], { cwd })).code, 2)
  assert.is((await cli(['rules', 'test', 'nobody'], { cwd })).code, 3)
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

test('rules run says when something waits for time that a recording does not bring', async () => {
  const cwd = await deploymentFolder()
  const rule = `rule: minute
on: SHOP
key: data.customer
aggregate:
  event: order.placed
  window: { tumbling: 1m }
  values: { n: count() }
emit: { event: burst.seen, data: { customer: key, orders: n } }
`
  await writeFile(join(cwd, 'minute.yaml'), rule)
  const run = (input: string) => cli(['rules', 'run', 'minute.yaml', '--file', '-'], { cwd, input })
  const open = await run(order(1))
  assert.is(open.stdout, '')
  assert.match(open.stderr, /^some wait for time to pass, which ends here: --until 1h lets/m)
  for (const until of ['1m', '2026-01-01T10:02:00Z']) {
    const ended = await cli(['rules', 'run', 'minute.yaml', '--file', '-', '--until', until], { cwd, input: order(1) })
    assert.match(ended.stdout, /burst\.seen .*"orders":1/, ended.stderr)
    assert.not.match(ended.stderr, /some wait/)
  }
  const wrong = await cli(['rules', 'run', 'minute.yaml', '--file', '-', '--until', 'soon'], { cwd, input: order(1) })
  assert.is(wrong.code, 2)
  assert.match(wrong.stderr, /error USAGE[^]*--until soon; write 2026-01-31T12:00:00Z, or 1h/)
  const none = await cli(['rules', 'run', 'burst', '--file', '-'], { cwd, input: order(1) })
  assert.not.match(none.stderr, /some wait/)
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
