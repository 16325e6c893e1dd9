import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'
import { cli, jsonOf } from './support.ts'

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

test.run()
