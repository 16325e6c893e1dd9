import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectTo, eventually } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { ownServer, startTestServer } from '../support/nats.ts'
import { cli, deploymentFolder, jsonOf, orderLine, startCli, type CliResult } from './support.ts'

const test = suite('cli: publish')

/** A process starts first, on a machine that has other things to do. */
const START_MS = 30_000

let url = ''
let cwd = ''
const count = async (server = url): Promise<number> => {
  const connection = await connectTo(server)
  return (await connection.manager.streams.info('SHOP')).state.messages
}

test.before(async () => {
  url = (await startTestServer()).url
  cwd = await deploymentFolder()
})

test('a stream that was not applied is missing at once, not after a wait', async () => {
  const one = await cli(['publish', 'order.placed', '--data', order(), '-s', url], { cwd })
  assert.is(one.code, 3)
  assert.match(one.stderr, /error STREAM_NOT_FOUND[^]*SHOP[^]*millrace streams apply/)
  const many = await cli(['publish', '--file', '-', '-s', url], { cwd, input: orderLine(1) })
  assert.is(many.code, 3)
  assert.match(many.stderr, /error STREAM_NOT_FOUND[^]*go on with: millrace publish --file - --from-line 1/)
  assert.is((await cli(['streams', 'apply', '-s', url], { cwd })).code, 0)
})

test('publishes one event and says where it is; the same id again is stored once', async () => {
  const args = ['publish', 'order.placed', '--data', order(), '--id', 'o-1', '--source', '/t', '-s', url]
  const first = await cli([...args, '--json'], { cwd })
  assert.is(first.code, 0)
  const stored = jsonOf(first.stdout)
  assert.is(stored['stream'], 'SHOP')
  assert.is(stored['duplicate'], false)
  assert.is(stored['key'], 'c1')
  const again = await cli(args, { cwd })
  assert.is(again.stdout, `order.placed of c1 was stored before as SHOP ${stored['sequence']}, id o-1\n`)
})

test('stores what the flags say as a CloudEvent', async () => {
  const args = ['--key', 'k 1', '--time', '2026-01-02T03:04:05Z', '--correlation-id', 'c', '--causation-id', 'd']
  await writeFile(join(cwd, 'order.json'), order())
  const { stdout } = await cli(['publish', 'order.placed', '--data', '@order.json', ...args, '-s', url, '--json'], {
    cwd,
  })
  const messages = await readAll(await connectTo(url), 'SHOP')
  const message = messages.find(({ sequence }) => sequence === jsonOf(stdout)['sequence'])
  const header = (name: string): string | undefined => message?.headers.get(name)
  assert.is(header('ce-time'), '2026-01-02T03:04:05.000Z')
  assert.is(header('ce-partitionkey'), 'k%201')
  assert.is(header('ce-correlationid'), 'c')
  assert.is(header('ce-causationid'), 'd')
  assert.is(header('ce-dataversion'), '2')
  assert.equal(JSON.parse(Buffer.from(message?.data ?? []).toString()), JSON.parse(order()))
})

test('one event that breaks its contract is refused with a pointer, a wrong type with a suggestion', async () => {
  const data = await cli(['publish', 'order.placed', '--data', '{"customer":"c1"}', '-s', url], { cwd })
  assert.is(data.code, 1)
  assert.match(data.stderr, /error EVENT_DATA_INVALID[^]*\/amount: /)
  const type = await cli(['publish', 'order.palced', '--data', order(), '-s', url], { cwd })
  assert.match(type.stderr, /error EVENT_TYPE_UNKNOWN[^]*did you mean order\.placed\?/)
  const json = await cli(['publish', 'order.placed', '--data', '{', '-s', url], { cwd })
  assert.is(json.code, 2)
  assert.match(json.stderr, /error USAGE[^]*--data is not JSON/)
})

test('L1 L3 publishes every line that is right and reports every line that is not, by number and reason', async () => {
  const before = await count()
  const input = [
    orderLine(1),
    'not json',
    '',
    orderLine(2, { amount: -1 }),
    '{"type":"order.plcaed","data":{}}',
    orderLine(3).replace('"version":2', '"version":9'),
    JSON.stringify({ type: 'order.placed', version: 1, data: { customer: 'old', amount: 3 } }),
    JSON.stringify({
      specversion: '1.0',
      id: 'ce-1',
      source: '/ce',
      type: 'order.placed',
      dataversion: 2,
      data: JSON.parse(order()),
    }),
    '[]',
    orderLine(4, { note: 'x'.repeat(1_100_000) }),
  ].join('\r\n')
  const file = join(cwd, 'bad.ndjson')
  const { code, stdout, stderr } = await cli(['publish', '--file', '-', '--rejected', file, '-s', url], { cwd, input })
  assert.is(code, 1)
  assert.match(stdout, /^published 3 events to SHOP in /)
  assert.match(stdout, /^rejected 6: /m)
  assert.match(stderr, /^standard input:2: INPUT_LINE_INVALID it is not JSON/m)
  assert.match(stderr, /^standard input:4: EVENT_DATA_INVALID order\.placed: \/amount: /m)
  assert.match(stderr, /^standard input:5: EVENT_TYPE_UNKNOWN .*did you mean order\.placed\?/m)
  assert.match(stderr, /^standard input:6: EVENT_VERSION_UNKNOWN order\.placed version 9, known are 1 to 2/m)
  assert.match(stderr, /^standard input:9: INPUT_LINE_INVALID it is not a JSON object/m)
  assert.match(stderr, /^standard input:10: MESSAGE_TOO_LARGE it has 1\.1 MB, the server takes 1\.0 MB/m)
  assert.match(stderr, /error INPUT_REJECTED[^]*6 of standard input/)
  assert.is(await count(), before + 3)
  const written = (await readFile(file, 'utf8')).trim().split('\n').map(jsonOf)
  assert.equal(
    written.map(({ line }) => line),
    [2, 4, 5, 6, 9, 10],
  )
  assert.is(written[0]?.['text'], 'not json')
})

test('L3 a line with more headers than the server stores, or a key that no subject has room for, is rejected alone', async () => {
  const long = [{ comment: 'x'.repeat(70_000) }, { key: 'k'.repeat(5_000) }].map((more) =>
    JSON.stringify({ ...jsonOf(orderLine(20)), ...more }),
  )
  const input = [orderLine(22), ...long, orderLine(23)].join('\n')
  const { code, stdout, stderr } = await cli(['publish', '--file', '-', '-s', url], { cwd, input })
  assert.is(code, 1)
  assert.match(stdout, /^published 2 events to SHOP in /)
  assert.match(stderr, /^standard input:2: MESSAGE_TOO_LARGE /m)
  assert.match(stderr, /^standard input:3: SUBJECT_INVALID /m)
})

test('rejected lines that find no room in their file are told, and the rest is published', async () => {
  if (!existsSync('/dev/full')) return
  const input = `${orderLine(7)}\nnot json\n`
  const args = ['publish', '--file', '-', '--rejected', '/dev/full', '-s', url]
  const { code, stdout, stderr } = await cli(args, { cwd, input })
  assert.is(code, 1)
  assert.match(stdout, /^published 1 events? to SHOP in /)
  assert.match(stderr, /error OUTPUT_UNWRITABLE[^]*ENOSPC/)
})

test('L1 L2 publishing the same file again stores nothing twice, though its lines have no ids', async () => {
  await writeFile(join(cwd, 'orders.ndjson'), `${Array.from({ length: 500 }, (_, i) => orderLine(i)).join('\n')}\n`)
  const first = await cli(['publish', '--file', 'orders.ndjson', '-s', url, '--json'], { cwd })
  assert.is(first.code, 0)
  assert.is(jsonOf(first.stdout)['published'], 500)
  assert.equal(jsonOf(first.stdout)['byStream'], { SHOP: 500 })
  const after = await count()
  const again = jsonOf((await cli(['publish', '--file', 'orders.ndjson', '-s', url, '--json'], { cwd })).stdout)
  assert.is(again['published'], 0)
  assert.is(again['duplicates'], 500)
  assert.is(await count(), after)
  const rest = await cli(['publish', '--file', 'orders.ndjson', '--from-line', '499', '-s', url, '--json'], { cwd })
  assert.is(jsonOf(rest.stdout)['duplicates'], 2)
})

test('--dry-run checks without a server', async () => {
  const { code, stdout } = await cli(['publish', '--file', 'orders.ndjson', '--dry-run', '-s', 'nats://127.0.0.1:1'], {
    cwd,
  })
  assert.is(code, 0)
  assert.match(stdout, /^would publish 500 events to SHOP/)
})

test('a file that is not there, or is a folder, is said before anything else', async () => {
  const missing = await cli(['publish', '--file', 'none.ndjson', '-s', url], { cwd })
  assert.is(missing.code, 3)
  assert.match(missing.stderr, /error INPUT_UNREADABLE[^]*none\.ndjson/)
  assert.match(
    (await cli(['publish', '--file', 'streams', '-s', url], { cwd })).stderr,
    /error INPUT_UNREADABLE[^]*folder/,
  )
})

test('L2 Ctrl-C stops cleanly: exit code 130, the line to go on from, everything before it stored once', async () => {
  const before = await count()
  const run = startCli(['publish', '--file', '-', '-s', url], { cwd })
  for (let line = 1; line <= 2_000; line++) run.child.stdin?.write(`${orderLine(line, { amount: line })}\n`)
  await eventually('something is published', async () => (await count()) > before || undefined, START_MS)
  run.signal('SIGINT')
  const { code, stderr } = await run.done
  assert.is(code, 130)
  const resume = Number(/go on with: millrace publish --file - --from-line (\d+)/.exec(stderr)?.[1])
  assert.ok(resume > 1 && resume <= 2_001, stderr)
  // receipts are waited for a moment only: what came later is stored as well, and not stored again
  const stored = (await count()) - before
  assert.ok(stored >= resume - 1, `${stored} are stored, it says ${resume - 1}`)
  const input = Array.from({ length: 2_000 }, (_, at) => orderLine(at + 1, { amount: at + 1 })).join('\n')
  const rest = ['publish', '--file', '-', '--from-line', String(resume), '-s', url, '--json']
  const { published, duplicates } = jsonOf((await cli(rest, { cwd, input })).stdout)
  assert.is(published + duplicates, 2_000 - resume + 1)
  // the server may still read what the command had sent when it was counted
  assert.ok(duplicates >= stored - resume + 1, `${duplicates} were there, of ${stored} that are stored`)
  assert.is(await count(), before + 2_000)
})

test('L2 a server killed for a while in the middle of a publish: it goes on and finishes, nothing lost or doubled', async () => {
  const server = await ownServer()
  assert.is((await cli(['streams', 'apply', '-s', server.url], { cwd })).code, 0)
  const run = startCli(['publish', '--file', '-', '-s', server.url, '--json'], { cwd })
  for (let line = 1; line <= 3_000; line++) run.child.stdin?.write(`${orderLine(line)}\n`)
  await eventually('some are stored', async () => (await count(server.url)) > 100 || undefined, START_MS)
  await server.kill()
  for (let line = 3_001; line <= 6_000; line++) run.child.stdin?.write(`${orderLine(line)}\n`)
  run.child.stdin?.end()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await server.restart()
  const { code, stdout, stderr } = await run.done
  assert.is(code, 0, stderr)
  const outcome = jsonOf(stdout)
  assert.is(outcome['published'] + outcome['duplicates'], 6_000)
  assert.is(await count(server.url), 6_000)
})

test('a second Ctrl-C ends at once, though the server is away', async () => {
  const server = await ownServer()
  assert.is((await cli(['streams', 'apply', '-s', server.url], { cwd })).code, 0)
  const ended = async (from: number): Promise<CliResult> => {
    const before = await count(server.url)
    const run = startCli(['publish', '--file', '-', '-s', server.url], { cwd })
    for (let line = from; line < from + 100; line++) run.child.stdin?.write(`${orderLine(line)}\n`)
    await eventually('some are stored', async () => (await count(server.url)) > before || undefined, START_MS)
    server.pause()
    for (let line = from + 100; line < from + 200; line++) run.child.stdin?.write(`${orderLine(line)}\n`)
    run.signal('SIGINT')
    // two that come before it hears of the first are one to it
    const again = setInterval(() => run.signal('SIGINT'), 300)
    const result = await run.done
    clearInterval(again)
    server.resume()
    return result
  }
  // who waits for the server says in the end where to go on; a process that is held up itself may come to that too
  let result = await ended(1)
  for (let attempt = 2; attempt <= 3 && result.stderr.includes('go on with'); attempt++)
    result = await ended(1_000 * attempt)
  assert.is(result.code, 130)
  assert.not.match(result.stderr, 'go on with', 'the server is not waited for')
})

test('a reader of the output that goes away ends a command quietly', async () => {
  const run = startCli(['rules', 'run', 'burst', '--file', '-', '--json'], { cwd })
  run.child.stdout?.destroy()
  for (let line = 1; line <= 400; line++) run.child.stdin?.write(`${orderLine(0)}\n`)
  run.child.stdin?.end()
  const { stderr } = await run.done
  assert.not.match(stderr, /EPIPE|INTERNAL|error/)
})

test('wrong credentials end in BROKER_AUTH_FAILED, exit code 4; right ones from a password file work', async () => {
  const config = 'authorization { user: ann, password: secret }'
  const server = await startTestServer({ config })
  await writeFile(join(cwd, 'right'), 'secret\n')
  await writeFile(join(cwd, 'wrong'), 'guess\n')
  const args = ['streams', 'plan', '-s', server.url, '--user', 'ann', '--password-file']
  const wrong = await cli([...args, 'wrong'], { cwd })
  assert.is(wrong.code, 4)
  assert.match(wrong.stderr, /^error BROKER_AUTH_FAILED/)
  assert.not.match(wrong.stderr, /guess/)
  assert.is((await cli([...args, 'right'], { cwd })).code, 5)
})

function order(): string {
  return JSON.stringify({ customer: 'c1', amount: 12, currency: 'EUR' })
}

test.run()
