// The README is what a newcomer types: its hello is taken from it, type-checked, loaded and run against a server.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { temporaryDirectory } from '../support/nats.ts'
import { checkCommands, commandsOf, filesOf } from '../support/readme.ts'
import { readText } from '../support/repository.ts'
import { complaintsOf } from '../support/type-check.ts'

const test = suite('the README')
const readme = readText('README.md')
const scripts = Object.keys((JSON.parse(readText('package.json')) as { scripts: object }).scripts)
const millrace = COMMANDS.map(({ name }) => name)

/** The folder `hello`, as somebody who follows the README has it, in a folder of its own. */
async function helloFolder(): Promise<string> {
  const folder = await temporaryDirectory()
  for (const [path, text] of Object.entries(filesOf(readme))) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return join(folder, 'hello')
}

test('the hello has a stream, its events, one pipeline and one rule, in about 20 lines', () => {
  const files = filesOf(readme)
  assert.equal(Object.keys(files), [
    'hello/shop/stream.ts',
    'hello/shop/events.ts',
    'hello/shop/pipelines/large-orders.ts',
    'hello/shop/rules/spree.yaml',
  ])
  const lines = Object.values(files).flatMap((text) => text.trimEnd().split('\n').slice(1))
  assert.ok(lines.length <= 28, `${lines.length} lines`)
})

test('the hello passes the type check of this repository', async () => {
  const folder = dirname(await helloFolder())
  assert.is(await complaintsOf(folder, 'hello'), '')
})

test('the hello runs, and three orders lead to what the README says', async () => {
  const connection = await sharedConnection()
  const deployment = await discover(await helloFolder())
  assert.equal([deployment.streams.length, deployment.pipelines.length, deployment.rules.length], [1, 1, 1])
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  const runtime = await createRuntime({ connection, deployment, clock: systemClock, log: silentLog, owner: 'hello' })
  const published = [...readme.matchAll(/publish (\S+) .*--data '([^']+)'/g)]
  assert.is(published.length, 3)
  const drafts = published.map(([, type = '', data = '']) => {
    const contract = deployment.registry.get(type)
    assert.ok(contract, type)
    return contract(JSON.parse(data))
  })
  const [stream] = deployment.streams
  assert.ok(stream)
  await publishAll(connection, stream, drafts)
  const outputs = await eventually('outputs', async () => {
    const all = await readAll(connection, 'SHOP', ['shop.*.order.large', 'shop.*.spree.seen'])
    return all.length < 2 ? undefined : all
  })
  await runtime.stop()
  assert.equal(
    outputs
      .map(({ headers, data }) => [headers.get('ce-type'), JSON.parse(Buffer.from(data).toString())])
      .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
    [
      ['order.large', { customer: 'ann', amount: 250 }],
      ['spree.seen', { customer: 'ann', amount: 350 }],
    ],
  )
})

test('every command of README and CONTRIBUTING exists', () => {
  for (const document of ['README.md', 'CONTRIBUTING.md']) {
    const commands = commandsOf(readText(document))
    assert.ok(commands.length >= 4, document)
    assert.equal(checkCommands(commands, { scripts, millrace }), [], document)
  }
})

test('the two commands are the first two', () => {
  assert.equal(commandsOf(readme).slice(0, 4), ['npm ci', 'npm run demo', 'npm ci', 'npm test'])
})

test('the table of commands has every command of the command line, in its order', () => {
  const rows = [...readme.matchAll(/^\| `millrace ([\w-]+)` \| .+ \|$/gm)].map(([, name]) => name)
  assert.equal(rows, millrace)
})

test('a planted command that does not exist is found', () => {
  const commands = commandsOf('```sh\nnpm ci && npm run nothing   # a comment\nnpx millrace fly --far\n```\n')
  assert.equal(checkCommands(commands, { scripts, millrace }), [
    'there is no npm run nothing',
    'there is no npx millrace fly --far',
  ])
})

test.run()
