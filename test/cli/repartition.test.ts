import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectTo, eventually } from '../support/broker.ts'
import { readStreamIdentity } from '../../src/broker/stream-identity.ts'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'
import { jsonOf, type CliRun } from './support.ts'
import { Tallying } from './tallying.ts'

const test = suite('cli: streams repartition')

async function deployed(url: string): Promise<number | undefined> {
  return (await readStreamIdentity(await connectTo(url), 'SHOP')).partitioning?.partitions
}

async function stopped(run: CliRun): Promise<void> {
  run.signal('SIGTERM')
  await run.done
}

/** Has a command killed the moment that it says something: from outside, it may have gone on by then. */
async function killedAt(said: string): Promise<NodeJS.ProcessEnv> {
  const file = join(await temporaryDirectory(), 'killed.mjs')
  const code = `const write = process.stderr.write
process.stderr.write = function (text, ...rest) {
  const went = write.call(this, text, ...rest)
  if (String(text).includes(${JSON.stringify(said)})) process.kill(process.pid, 'SIGKILL')
  return went
}
`
  await writeFile(file, code)
  return { NODE_OPTIONS: `--import ${pathToFileURL(file).href}` }
}

/** Ends a command when it has said something. */
async function endedAfter(run: CliRun, said: RegExp, signal: NodeJS.Signals) {
  await eventually(`it says ${said}`, () => said.test(run.stderr()) || undefined, 30_000)
  run.signal(signal)
  return run.done
}

test('--dry-run says what becomes of each processor, and changes nothing', async () => {
  const { url } = await startTestServer()
  const world = await Tallying.on(url)
  const run = await world.run()
  await world.publish(30)
  await world.verify()
  // the tally is, the others may be a moment later
  const stdout = await eventually('nobody is behind', async () => {
    const plan = await world.cli('streams', 'repartition', 'SHOP', '--to', '6', '--dry-run')
    assert.is(plan.code, 0)
    return /^pipeline-\S+ +[1-9]/m.test(plan.stdout) ? undefined : plan.stdout
  })
  assert.match(stdout, /^SHOP: from 4 to 6 partitions\nPROCESSOR +BEHIND +STATE\n/)
  assert.match(stdout, /^pipeline-large-orders +0 +none$/m)
  assert.match(stdout, /^pipeline-tally +0 +goes to the new partitions, key by key$/m)
  assert.not.match(stdout, /rules-SHOP/)
  const json = jsonOf((await world.cli('streams', 'repartition', 'SHOP', '--to', '6', '--dry-run', '--json')).stdout)
  assert.equal([json['from'], json['to'], json['state']], [4, 6, 'new'])
  assert.is(await deployed(url), 4)
  assert.not.match((await world.cli('status')).stdout, /paused|partitions/)
  await stopped(run)
})

test('the number is changed while processes run, and the tally of every key goes on with the new declaration', async () => {
  const { url } = await startTestServer()
  const world = await Tallying.on(url)
  const old = await world.run()
  await world.publish(100)
  const change = await world.cli('streams', 'repartition', 'SHOP', '--to', '6')
  assert.is(change.code, 0, change.stderr)
  assert.match(change.stdout, /^SHOP has 6 partitions in place of 4; 3 processors and the state of 7 keys moved\n/)
  assert.match(change.stdout, /^Declare it: partitions: 6 in stream\.ts of SHOP, in place of 4/m)
  assert.match(change.stderr, /^the stream uses the new number since sequence \d+$/m)
  assert.match((await world.cli('status')).stdout, /^SHOP: has 6 partitions, declared are 4: declare 6, or millrace/m)
  const refused = await eventually('it is refused', async () => {
    const { units } = jsonOf((await world.cli('status', '--units', '--json')).stdout)
    const tally = (units as Record<string, any>[]).find(({ unit }) => unit === 'pipeline-tally-0')
    return tally?.['state'] === 'refused' ? tally : undefined
  })
  assert.equal(refused['refused'], ['PARTITIONS_CHANGED'])
  await stopped(old)
  const late = await world.cli('run')
  assert.is(late.code, 6, 'a process with the former number does not start')
  assert.match(late.stderr, /error STREAM_DRIFT/)
  await world.declare(6)
  const run = await world.run()
  await world.publish(100)
  await world.verify()
  const again = await world.cli('streams', 'repartition', 'SHOP', '--to', '6')
  assert.equal([again.code, again.stdout], [0, 'SHOP has 6 partitions already\n'])
  const status = await eventually('what was counted goes on', async () => {
    const { stdout: text } = await world.cli('status')
    return /^pipeline-tally +SHOP +\d+ +0 +200 +200 /m.test(text) ? text : undefined
  })
  assert.not.match(status, /declared are/)
  const { code, stdout } = await world.cli('streams', 'repartition', 'SHOP', '--to', '3', '--json')
  assert.is(code, 0)
  const report = jsonOf(stdout)
  assert.equal([report['outcome'], report['from'], report['to'], report['declared']], ['done', 6, 3, 6])
  const units = (await world.cli('status', '--units')).stdout
  assert.match(units, /^pipeline-tally-5 +retired /m)
  await stopped(run)
})

test('killed when the stream has the new number, status says so, and the same command goes on', async () => {
  const { url } = await startTestServer()
  const world = await Tallying.on(url)
  await world.publish(200)
  const run = await world.run()
  await world.publish(200)
  const killed = await world.start(
    ['streams', 'repartition', 'SHOP', '--to', '7'],
    await killedAt('uses the new number'),
  ).done
  assert.is(killed.code, null)
  assert.match(killed.stderr, 'uses the new number')
  assert.is(await deployed(url), 7)
  const status = (await world.cli('status')).stdout
  assert.match(status, /^SHOP: goes from 4 to 7 partitions: millrace streams repartition SHOP --to 7$/m)
  assert.match(status, /^pipeline-tally: paused \(SHOP goes from 4 to 7 partitions\)$/m)
  await world.publish(100)
  for (const to of ['5', '4']) {
    const other = await world.cli('streams', 'repartition', 'SHOP', '--to', to)
    assert.is(other.code, 6)
    assert.match(other.stderr, /error REPARTITION_UNDERWAY[^]*from 4 to 7 partitions; finish that first/)
  }
  const resumed = await world.cli('resume', 'tally')
  assert.match(resumed.stderr, /SHOP goes from 4 to 7 partitions: .*millrace streams repartition SHOP --to 7/)
  const again = await world.cli('streams', 'repartition', 'SHOP', '--to', '7')
  assert.is(again.code, 0, again.stderr)
  assert.match(again.stdout, /^SHOP has 7 partitions in place of 4/)
  await stopped(run)
  await world.declare(7)
  const next = await world.run()
  await world.publish(50)
  await world.verify()
  assert.not.match((await world.cli('status')).stdout, /paused|goes from/)
  await stopped(next)
})

test('what cannot be moved is waited for, refused or ended; Ctrl-C leaves everything as it was', async () => {
  const { url } = await startTestServer()
  const world = await Tallying.on(url, { slots: true })
  const run = await world.run()
  await world.publish(20)
  await world.verify()
  const waiting = world.start(['streams', 'repartition', 'SHOP', '--to', '2'])
  const left = await endedAfter(waiting, /waiting: .* keys not idle in 4 partitions/, 'SIGINT')
  assert.is(left.code, 130)
  assert.match(left.stderr, /^SHOP is as it was\.$/m)
  assert.is(await deployed(url), 4)
  await stopped(run)
  const refused = await world.cli('streams', 'repartition', 'SHOP', '--to', '2')
  assert.is(refused.code, 6)
  assert.match(refused.stderr, /error REPARTITION_SLOTS_LIVE[^]*pipeline-slow: in 4 of 4 partitions[^]*--cut/)
  const cut = await world.cli('streams', 'repartition', 'SHOP', '--to', '2', '--cut', 'slow')
  assert.is(cut.code, 0, cut.stderr)
  await world.declare(2)
  const next = await world.run()
  await world.publish(20)
  await world.verify()
  await stopped(next)
})

test('mistakes are coded errors: no such stream, no such processor, no number', async () => {
  const { url } = await startTestServer()
  const world = await Tallying.on(url)
  const stream = await world.cli('streams', 'repartition', 'SHIP', '--to', '2')
  assert.is(stream.code, 3)
  assert.match(stream.stderr, /error DECLARATION_UNKNOWN[^]*SHOP/)
  const cut = await world.cli('streams', 'repartition', 'SHOP', '--to', '2', '--cut', 'tall')
  assert.is(cut.code, 3)
  assert.match(cut.stderr, /error DECLARATION_UNKNOWN[^]*pipeline-tally/)
  for (const args of [[], ['--to', '0'], ['--to', 'two']])
    assert.is((await world.cli('streams', 'repartition', 'SHOP', ...args)).code, 2)
  const many = await world.cli('streams', 'repartition', 'SHOP', '--to', '991')
  assert.is(many.code, 6)
  assert.match(many.stderr, /error REPARTITION_UNSUPPORTED[^]*990 partitions at most/)
})

test.run()
