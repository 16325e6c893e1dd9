import { map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { editCommand } from '../../src/cli/dead-letters/edit-command.ts'
import { listCommand } from '../../src/cli/dead-letters/list-command.ts'
import { redriveCommand } from '../../src/cli/dead-letters/redrive-command.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { startUnit, type Started } from '../kernel/parking/redriving.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { publishAll, readAll } from '../support/events.ts'
import { Alarm, Reading, registry } from '../support/kill-fixture.ts'

const test = suite('cli: dead letters of processors and contracts, redriven')

interface World {
  readonly connection: Connection
  readonly stream: Awaited<ReturnType<typeof freshStream>>
  readonly mended: { yet: boolean }
  start(kind: 'pipeline' | 'contracts'): Promise<Started>
  list(): Promise<Record<string, any>[]>
  redrive(number: number): Promise<Record<string, any>>
  edit(number: number, set: string): Promise<void>
  /** Sums of the alarms that were put out. */
  alarms(): Promise<number[]>
}

let serial = 0

async function world(): Promise<World> {
  const connection = await sharedConnection()
  const stream = await freshStream(connection, { partitions: 1 })
  const mended = { yet: false }
  const name = `soft-${process.pid}-${(serial += 1)}`
  const pipeline = definePipeline({
    name,
    version: 1,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [Alarm] },
    recovery: { mode: 'stateless' },
    pipeline: (readings$) =>
      readings$.pipe(
        map(({ data: { machine, value } }) => {
          if (!mended.yet && value > 10) throw new Error(`too hard: ${value}`)
          return Alarm({ machine, count: 1, sum: value })
        }),
      ),
  })
  const deployment: Deployment = {
    folder: '',
    streams: [stream],
    registry,
    pipelines: [pipeline],
    rules: [],
    actors: [],
    homes: new Map(),
  }
  const context = (): TestContext => ({ ...cliContext({ json: true }), deployment: async () => deployment })
  return {
    connection,
    stream,
    mended,
    start: (kind) => {
      const processor = processorsOf(deployment).find((one) => one.kind === kind)
      assert.ok(processor)
      return startUnit(processor, '0')
    },
    list: async () => {
      const own = context()
      await listCommand(own, { stream: stream.name, limit: 50 })
      return JSON.parse(own.out.text())['deadLetters']
    },
    redrive: async (number) => {
      const own = context()
      await redriveCommand(own, [number], { wait: true })
      return JSON.parse(own.out.text().split('\n')[0] ?? '')
    },
    edit: (number, set) => editCommand(context(), number, { set: [set] }),
    alarms: async () =>
      (await readAll(connection, stream.name, [storedFilter(stream.root, Alarm.type)])).map(
        ({ data }) => JSON.parse(Buffer.from(data).toString())['sum'],
      ),
  }
}

test('the event of a pipeline’s letter comes back to that pipeline alone, once, and is handled there', async () => {
  const { connection, stream, mended, start, list, redrive, alarms } = await world()
  const first = await start('pipeline')
  await publishAll(
    connection,
    stream,
    [5, 50, 7].map((value) => Reading({ machine: 'a', value })),
  )
  const [letter] = await eventually('it is dead', async () => {
    const found = await list()
    return found.length > 0 ? found : undefined
  })
  await eventually('the rest is handled', async () => (await alarms()).length === 2)
  assert.is((await redrive(letter?.['number']))['code'], 'LETTER_UNIT_CLOSED')
  await first.run.stop()
  const second = await start('pipeline')
  const reads = await eventually('it reads what comes back', async () => {
    const told = await redrive(letter?.['number'])
    return told['code'] === 'LETTER_UNIT_CLOSED' ? undefined : told
  })
  assert.is(reads['outcome'], 'again')
  const [other, ...more] = await list()
  assert.is(more.length, 0)
  assert.is(other?.['generation'], 1)
  mended.yet = true
  assert.is((await redrive(other?.['number']))['outcome'], 'handled')
  assert.equal(await alarms(), [5, 7, 50])
  assert.is((await list()).length, 0)
  assert.is((await redrive(letter?.['number']))['outcome'], 'closed')
  assert.equal(second.failures, [])
  await second.run.stop()
})

test('what breaks its contract is refused until it is edited, and then is an event of its stream', async () => {
  const { connection, stream, start, list, redrive, edit } = await world()
  const { run } = await start('contracts')
  const { headers } = await import('@nats-io/transport-node')
  const of = headers()
  for (const [name, value] of Object.entries({ specversion: '1.0', id: 'x', source: '/t', type: Reading.type }))
    of.set(`ce-${name}`, value)
  connection.nats.publish(`${stream.root}.a.${Reading.type}`, '{"machine":"a","value":"3"}', { headers: of })
  const [letter] = await eventually('it is dead', async () => {
    const found = await list()
    return found.length > 0 ? found : undefined
  })
  assert.is(letter?.['processor'], 'contract')
  assert.is((await redrive(letter?.['number']))['code'], 'LETTER_STILL_INVALID')
  await edit(letter?.['number'], 'value=3')
  assert.is((await redrive(letter?.['number']))['outcome'], 'handled')
  const stored = await readAll(connection, stream.name, [storedFilter(stream.root, Reading.type)])
  assert.equal(
    stored.map(({ data }) => Buffer.from(data).toString()),
    ['{"machine":"a","value":"3"}', '{"machine":"a","value":3}'],
  )
  await run.stop()
})

test.run()
