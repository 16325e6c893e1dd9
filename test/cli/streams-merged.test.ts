import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectTo, eventually } from '../support/broker.ts'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'
import { cli, jsonOf, startCli } from './support.ts'

const test = suite('cli: streams that are merged')

test('plan shows what a merged stream is filled from, and what a change of that would be; apply carries it out', async () => {
  const { url } = await startTestServer()
  const cwd = await temporaryDirectory()
  const fixture = fileURLToPath(new URL('../fixtures/streams-joined', import.meta.url))
  await cp(fixture, join(cwd, 'streams'), { recursive: true })
  const on = (...args: string[]) => cli([...args, '-s', url], { cwd })
  const plan = await on('streams', 'plan')
  assert.is(plan.code, 5)
  assert.match(
    plan.stdout,
    '+ PIPELINE_notes_INPUT  create\n    filled from ORDERS (order.paid), PARCELS (parcel.sent)\n',
  )
  assert.is((await on('streams', 'apply')).code, 0)
  assert.is((await on('streams', 'plan')).code, 0)

  const file = join(cwd, 'streams/orders/pipelines/notes.ts')
  const changed = (await readFile(file, 'utf8'))
    .replaceAll('OrderNoted', 'OrderPaid')
    .replace(
      "events: [OrderPaid] },\n    { stream: 'PARCELS', events: [ParcelSent] }",
      "events: [OrderNoted] },\n    { stream: 'PARCELS', events: [ParcelSent] }",
    )
    .replace('import { OrderPaid, OrderPaid }', 'import { OrderNoted, OrderPaid }')
  await writeFile(file, changed)
  const drift = await on('streams', 'plan')
  assert.is(drift.code, 5, drift.stderr)
  assert.match(
    drift.stdout,
    '~ PIPELINE_notes_INPUT  update\n' +
      '    sources: ORDERS (order.paid), PARCELS (parcel.sent) → ORDERS (order.noted), PARCELS (parcel.sent)\n',
  )
  assert.match((await on('streams', 'apply')).stdout, '~ PIPELINE_notes_INPUT  updated')
  assert.is((await on('streams', 'plan')).code, 0)
})

test('nobody publishes into it, and status shows it with what is still to be merged', async () => {
  const { url } = await startTestServer()
  const cwd = await temporaryDirectory()
  const fixture = fileURLToPath(new URL('../fixtures/streams-joined', import.meta.url))
  await cp(fixture, join(cwd, 'streams'), { recursive: true })
  const on = (...args: string[]) => cli([...args, '-s', url], { cwd })
  await on('streams', 'apply')
  const refused = await on('publish', 'order.paid', '--data', '{"order":"o1"}', '--stream', 'PIPELINE_notes_INPUT')
  assert.is(refused.code, 2, refused.stderr)
  assert.match(refused.stderr, /PIPELINE_notes_INPUT is filled from ORDERS, PARCELS: publish there/)
  const status = jsonOf((await on('status', '--json')).stdout) as { streams: { stream: string; unmerged?: number }[] }
  assert.equal(
    status.streams.map(({ stream, unmerged }) => [stream, unmerged]),
    [
      ['ORDERS', undefined],
      ['PARCELS', undefined],
      ['PIPELINE_notes_INPUT', 0],
    ],
  )
})

test('what a removed pipeline leaves behind is shown, and removed when nobody declares or reads it', async () => {
  const { url } = await startTestServer()
  const cwd = await temporaryDirectory()
  const fixture = fileURLToPath(new URL('../fixtures/streams-joined', import.meta.url))
  await cp(fixture, join(cwd, 'streams'), { recursive: true })
  const on = (...args: string[]) => cli([...args, '-s', url], { cwd })
  assert.is((await on('streams', 'apply')).code, 0)
  const ready = join(cwd, 'ready.json')
  const run = startCli(['run', '--ready-file', ready, '-s', url], { cwd })
  await eventually('it runs', () => readFile(ready, 'utf8').catch(() => undefined), 30_000)
  assert.is((await on('publish', 'order.paid', '--data', '{"order":"o1"}')).code, 0)
  const merge = 'PIPELINE_notes_INPUT'
  const { manager } = await connectTo(url)
  await eventually('it is merged', async () => (await manager.streams.info(merge)).state.messages === 1)
  const declared = await on('streams', 'remove', merge)
  assert.is(declared.code, 6)
  assert.match(declared.stderr, /error STREAM_NOT_LEFT_OVER[^]*PIPELINE_notes_INPUT: it is declared here/)

  await rm(join(cwd, 'streams/orders/pipelines/notes.ts'))
  const plan = await on('streams', 'plan')
  assert.is(plan.code, 0, 'apply has nothing to do')
  assert.match(
    plan.stdout,
    /\n\? PIPELINE_notes_INPUT {2}left over\n {4}copies of ORDERS, PARCELS for a pipeline .*: 1 message, \S+ \S+\n.*millrace streams remove PIPELINE_notes_INPUT\n/,
  )
  const read = await on('streams', 'remove', merge)
  assert.is(read.code, 6)
  assert.match(read.stderr, /error STREAM_NOT_LEFT_OVER[^]*pipeline-notes-\d+ reads it at this moment/)
  run.signal('SIGTERM')
  await run.done
  for (const [name, code, error] of [
    ['DEAD_LETTERS', 6, /STREAM_NOT_LEFT_OVER[^]*it was not made for a pipeline with several inputs/],
    ['PIPELINE_none_INPUT', 3, /STREAM_NOT_FOUND/],
  ] as const) {
    const other = await on('streams', 'remove', name)
    assert.is(other.code, code)
    assert.match(other.stderr, error)
  }
  assert.match((await on('streams', 'remove', merge, '--dry-run')).stdout, /^- PIPELINE_notes_INPUT {2}remove\n/)
  const left = jsonOf((await on('streams', 'plan', '--json')).stdout)['leftovers'] as { stream: string }[]
  assert.equal(
    left.map(({ stream }) => stream),
    [merge],
  )
  const removed = await on('streams', 'remove', merge)
  assert.is(removed.code, 0, removed.stderr)
  assert.match(
    removed.stdout,
    /^- PIPELINE_notes_INPUT {2}removed\n {4}1 message, \S+ \S+: copies of ORDERS, PARCELS\n$/,
  )
  assert.not.match((await on('streams', 'plan')).stdout, /left over/)
})

test.run()
