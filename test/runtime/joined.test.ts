import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams, requireNoDrift } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import type { EventDraft } from '../../src/event/event.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { processorId } from '../../src/kernel/processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { createRuntime } from '../../src/runtime/create-runtime.ts'
import { streamNamed } from '../../src/runtime/deployment.ts'
import { discover } from '../../src/runtime/discover.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { startTestServer, temporaryDirectory } from '../support/nats.ts'
import { faultOf } from '../support/numbered.ts'

const test = suite('a deployment with several inputs and outputs')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-joined', import.meta.url))

test('its streams and processors follow from its declarations', async () => {
  const deployment = await discover(FOLDER)
  assert.equal(
    deployment.streams.map(({ name, partitions }) => [name, partitions]),
    [
      ['ORDERS', 4],
      ['PARCELS', 2],
      ['PIPELINE_notes_INPUT', 2],
    ],
  )
  assert.equal(
    deployment.streams[2]?.sources?.map(({ stream, transforms }) => [stream, transforms.length]),
    [
      ['ORDERS', 4],
      ['PARCELS', 1],
    ],
  )
  assert.equal(processorsOf(deployment).map(processorId), [
    'contracts-ORDERS',
    'contracts-PARCELS',
    'pipeline-notes',
    'outbox-ORDERS_to_PARCELS',
  ])
})

test('an input or an output that names no declared stream is refused, and says which there are', async () => {
  for (const [was, is] of [
    [`{ stream: 'PARCELS', events: [ParcelSent] }`, `{ stream: 'NOWHERE', events: [ParcelSent] }`],
    [`{ stream: 'PARCELS', events: [ParcelNoted] }`, `{ stream: 'PIPELINE_notes_INPUT', events: [ParcelNoted] }`],
  ] as const) {
    const folder = await temporaryDirectory()
    await cp(FOLDER, folder, { recursive: true })
    const file = join(folder, 'orders/pipelines/notes.ts')
    await writeFile(file, (await readFile(file, 'utf8')).replace(was, is))
    const error = await faultOf(discover(folder))
    assert.is(error.code, 'DECLARATION_INVALID')
    assert.match(error.detail, /pipeline notes: stream .* is not declared; there are: ORDERS, PARCELS$/)
  }
})

test('M1 X1 it runs: what comes in at either stream is put out in either, once', async () => {
  const deployment = await discover(FOLDER)
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  requireNoDrift(await planStreams(connection, deployment.streams))
  const runtime = await createRuntime({ connection, deployment, clock: systemClock, log: silentLog, owner: 'test' })
  const make = (type: string, order: string): EventDraft => {
    const contract = deployment.registry.get(type)
    if (contract === undefined) throw new Error(`${type} is not known`)
    return contract({ order })
  }
  const [orders, parcels] = [streamNamed(deployment, 'ORDERS'), streamNamed(deployment, 'PARCELS')]
  const numbers = Array.from({ length: 100 }, (_, at) => `o${at % 17}`)
  await Promise.all([
    publishAll(
      connection,
      orders,
      numbers.map((order) => make('order.paid', order)),
    ),
    publishAll(
      connection,
      parcels,
      numbers.map((order) => make('parcel.sent', order)),
    ),
  ])
  const notes = async (stream: typeof orders, type: string): Promise<string[]> =>
    (await readAll(connection, stream.name, [storedFilter(stream.root, type)])).map(({ data }) =>
      Buffer.from(data).toString(),
    )
  await eventually(
    'all are noted',
    async () => {
      const found = [await notes(orders, 'order.noted'), await notes(parcels, 'parcel.noted')]
      return found.every(({ length }) => length >= 100) || undefined
    },
    30_000,
  )
  await new Promise((resolve) => setTimeout(resolve, 300))
  const wanted = (what: string): string[] => numbers.map((order) => JSON.stringify({ order, what })).sort()
  assert.equal((await notes(orders, 'order.noted')).sort(), wanted('parcel.sent'))
  assert.equal((await notes(parcels, 'parcel.noted')).sort(), wanted('order.paid'))
  await runtime.stop()
})

test.run()
