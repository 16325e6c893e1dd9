// What follows a change of the number of partitions beside the state of processors: what waits in outboxes and parks,
// and who is refused.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishOnce } from '../../../src/broker/publish-once.ts'
import { mergeStream } from '../../../src/broker/merge-stream.ts'
import { parkedUnit, readUnitParking } from '../../../src/kernel/parking/parked-unit.ts'
import { redriveKey } from '../../../src/kernel/parking/redrive-key.ts'
import { processorId, type Processor } from '../../../src/kernel/processor.ts'
import { planRepartition } from '../../../src/kernel/repartition/repartition.ts'
import { readNote } from '../../../src/kernel/repartition/partitions-note.ts'
import { hasStragglers } from '../../../src/kernel/repartition/places.ts'
import { changePartitioning } from '../../../src/broker/partitioning.ts'
import { readStreamIdentity } from '../../../src/broker/stream-identity.ts'
import { partitionOfKey } from '../../../src/event/partition.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { faultOf } from '../../support/numbered.ts'
import { MovingWorld, type WorldOptions } from './moving-world.ts'

const test = suite('what a change of the number of partitions takes along, and what it refuses')

const made = async (options: WorldOptions): Promise<MovingWorld> => {
  const world = new MovingWorld(await sharedConnection(), options)
  await world.apply()
  return world
}

const named = (world: MovingWorld, id: string): Processor => {
  const found = world.options(1).processors.find((processor) => processorId(processor) === id)
  if (found === undefined) throw new Error(id)
  return found
}

test('RP4 what waits in an outbox for the stream comes over once and in order, before and after', async () => {
  const world = await made({ pipelines: ['echo'] })
  await world.run(2)
  world.flow()
  for (const to of [8, 3]) {
    await world.repartition(to)
    await world.stop()
    await world.run(1)
  }
  await world.quiet()
  await world.verify()
  await world.stop()
})

test('RP4 a key that is parked is parked in its new unit, with its events, and can be redriven there', async () => {
  const connection = await sharedConnection()
  let broken = true
  const fails = ({ card, n }: { card: string; n: number }): boolean =>
    broken && n === 3 && ['c1', 'c2', 'c3'].includes(card)
  const world = await made({ pipelines: ['stateless'], fails })
  await world.run(1)
  await world.publish(200, 8)
  const parkedKeys = async (): Promise<number> =>
    (await planRepartition(world.options(8))).processors.at(-1)?.parkedKeys ?? 0
  await eventually('three are parked', async () => (await parkedKeys()) === 3)
  const { moved } = await world.repartition(8)
  assert.equal(
    moved.map(({ parkedKeys: keys }) => keys),
    [0, 3],
  )
  await world.stop()
  await world.run(1)
  await world.publish(100, 8)
  broken = false
  for (const key of ['c1', 'c2', 'c3']) {
    const unit = parkedUnit(named(world, 'pipeline-copy'), String(partitionOfKey(key, 8)))
    assert.is((await readUnitParking(connection, unit))?.parked.filter((entry) => entry.key === key).length, 1)
    assert.is((await redriveKey(connection, unit, key, { clock: systemClock })).kind, 'back')
  }
  await world.verify()
  await world.stop()
})

/** That it is refused, and nothing was changed. */
async function refused(world: MovingWorld, code: string, detail: RegExp, to = 8): Promise<void> {
  const connection = await sharedConnection()
  const error = await faultOf(world.repartition(to))
  assert.is(error.code, code)
  assert.match(error.detail, detail)
  assert.is(await readNote(connection, world.stream.name), undefined)
  assert.is((await readStreamIdentity(connection, world.stream.name)).partitioning?.partitions, 4)
}

test('RP5 a key whose publisher does not name it in the subject is refused, unless its state may be left behind', async () => {
  const connection = await sharedConnection()
  const world = await made({ pipelines: ['keyed'] })
  await world.run(1)
  const subject = `${world.stream.root}._.paid`
  const headers = [
    ['ce-specversion', '1.0'],
    ['ce-type', 'paid'],
    ['ce-source', '/x'],
    ['content-type', 'application/json'],
  ] as const
  for (let n = 0; n < 5; n++)
    await publishOnce(connection, {
      subject,
      headers: [...headers, ['ce-id', String(n)]],
      data: Buffer.from(`{"card":"other","n":${n}}`),
    })
  await eventually('counted', async () => (await world.outputs('counted')).get('other')?.length === 5)
  await refused(
    world,
    'REPARTITION_KEYS_ASTRAY',
    /key "other": its last events are not in its partition; it matters to pipeline-count$/,
  )
  assert.is((await world.repartition(8, { cut: new Set(['pipeline-count']) })).outcome, 'done')
  await world.stop()
})

test('RP5 with one partition such a key shows as one that is told in the data alone', async () => {
  const connection = await sharedConnection()
  const world = await made({ pipelines: ['keyed'], partitions: 1 })
  await world.publish(50)
  assert.is((await planRepartition(world.options(8))).state, 'new')
  const headers = [
    ['ce-specversion', '1.0'],
    ['ce-type', 'paid'],
    ['ce-source', '/x'],
    ['ce-id', '1'],
  ] as const
  const data = Buffer.from('{"card":"other","n":0}')
  await publishOnce(connection, { subject: `${world.stream.root}._.paid`, headers, data })
  assert.is((await faultOf(planRepartition(world.options(8)))).code, 'REPARTITION_KEYS_ASTRAY')
})

test('RP5 readers that are not declared, other versions, state that is a whole, and merges are refused', async () => {
  const connection = await sharedConnection()
  const world = await made({ pipelines: ['keyed'] })
  await world.run(1)
  await world.publish(20)
  await world.stop()
  const { name, root } = world.stream
  await connection.manager.consumers.add(name, { durable_name: 'pipeline-gone-2', filter_subject: `${root}.2.paid` })
  await refused(world, 'REPARTITION_READER_UNKNOWN', /: pipeline-gone-2$/)
  await connection.manager.consumers.delete(name, 'pipeline-gone-2')
  const keyed = named(world, 'pipeline-count')
  const as = (other: Processor) => planRepartition({ ...world.options(8), processors: [other] })
  assert.is((await faultOf(as({ ...keyed, version: '2' }))).code, 'REPARTITION_OTHER_VERSION')
  const whole = await faultOf(as({ ...keyed, memory: 'snapshot' }))
  assert.is(whole.code, 'REPARTITION_UNSUPPORTED')
  assert.match(whole.detail, /the state of pipeline-count is a whole that cannot be taken apart by key$/)
  const { regroup: _regroup, ...mute } = keyed
  assert.match((await faultOf(as(mute))).detail, /pipeline-count does not say how its state is put together anew/)
  const merge = mergeStream('joined', [
    { stream: world.stream, types: ['paid'] },
    { stream: world.out, types: ['copied'] },
  ])
  const merging = await faultOf(as({ ...keyed, from: { stream: merge } }))
  assert.match(merging.detail, /pipeline-count merges it with other streams, in partitions of their own$/)
  const filled = await faultOf(planRepartition({ ...world.options(8), stream: merge }))
  assert.match(filled.detail, /the server fills it from others/)
  assert.match((await faultOf(planRepartition(world.options(1_000)))).detail, /there can be 990 partitions at most$/)
})

test('RP5 a processor that fails is found out before the stream changes, and everything goes on as it was', async () => {
  const world = await made({ pipelines: ['keyed'] })
  await world.run(1)
  await world.publish(20)
  await world.verify()
  await world.stop()
  await world.publish(20)
  const broken = {
    ...named(world, 'pipeline-count'),
    start: () => {
      throw new Error('no way')
    },
  }
  const processors = world.options(8).processors.map((one) => (processorId(one) === 'pipeline-count' ? broken : one))
  const { code, detail } = await faultOf(world.repartition(8, { processors }))
  assert.is(code, 'REPARTITION_PROCESSOR_FAILED')
  assert.is(detail, 'no way')
  const note = await readNote(await sharedConnection(), world.stream.name)
  assert.equal([note?.phase, note?.from, note?.to, note?.history], ['done', 4, 4, 0])
  await world.run(1)
  await world.publish(20)
  await world.verify()
  await world.stop()
})

test('a message that is still put in an old place after the change is found', async () => {
  const connection = await sharedConnection()
  const world = await made({ pipelines: ['keyed'] })
  const { stream } = world
  const options = { connection, clock: systemClock, registry: world.options(8).registry, stream }
  await world.publish(50)
  await changePartitioning(connection, stream, 8)
  const { last } = await readStreamIdentity(connection, stream.name)
  await world.publish(50)
  assert.is(await hasStragglers(options, { after: last, from: 4, to: 8 }), false)
  await changePartitioning(connection, stream, 4)
  await world.publish(50)
  assert.is(await hasStragglers(options, { after: last, from: 4, to: 8 }), true)
})

test.run()
