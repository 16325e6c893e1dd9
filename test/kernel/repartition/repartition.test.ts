import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sharedConnection } from '../../support/broker.ts'
import { faultOf } from '../../support/numbered.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { planRepartition } from '../../../src/kernel/repartition/repartition.ts'
import { readNote } from '../../../src/kernel/repartition/partitions-note.ts'
import { MovingWorld, type WorldOptions } from './moving-world.ts'

const test = suite('changing the number of partitions')

async function flowing(options: WorldOptions): Promise<MovingWorld> {
  const world = new MovingWorld(await sharedConnection(), options)
  await world.apply()
  await world.run(2)
  await world.publish(24) // an event of each key, so that their number is known
  world.flow()
  return world
}

test('RP4 keyed and stateless, from 4 to 8 to 3 while events flow: each output once, in order, as without a change', async () => {
  const world = await flowing({ pipelines: ['keyed', 'stateless', 'reference'] })
  for (const to of [8, 3]) {
    const plan = await planRepartition(world.options(to))
    assert.equal([plan.state, plan.to, plan.held], ['new', to, []])
    const { outcome, moved } = await world.repartition(to)
    assert.is(outcome, 'done')
    assert.is(moved.find(({ processor }) => processor === 'pipeline-count')?.entries, 23)
    await world.stop()
    await world.run(2)
  }
  await world.quiet()
  await world.verify()
  await world.stop()
})

test('RP4 operators whose state is stored, and packs in the stream that changes', async () => {
  const world = await flowing({ pipelines: ['checkpoint', 'keyed'], packed: true })
  for (const to of [8, 3]) {
    await world.repartition(to)
    await world.stop()
    await world.run(1)
  }
  await world.quiet()
  await world.verify()
  await world.stop()
})

test('RP4 slots that are cut end, and begin anew after it: each event is in one of them', async () => {
  const world = await flowing({ pipelines: ['slots'], idle: '10m' })
  const cut = new Set(['pipeline-group'])
  for (const to of [8, 3]) {
    await world.repartition(to, { cut })
    await world.stop()
    await world.run(2)
  }
  await world.quiet()
  await world.verify()
  await world.stop()
})

test('slots whose keys are idle need not be cut; while they are not, nothing is changed', async () => {
  // longer than the flow ever pauses on a busy machine
  const world = await flowing({ pipelines: ['slots'], idle: '3s' })
  const { code, detail } = await faultOf(world.repartition(8, { patience: 500 }))
  assert.is(code, 'REPARTITION_SLOTS_LIVE')
  assert.match(detail, /^pipeline-group: in \d of 4 partitions$/)
  assert.is(await readNote(await sharedConnection(), world.stream.name), undefined)
  await world.quiet()
  assert.is((await world.repartition(8)).outcome, 'done')
  await world.stop()
  await world.run(1)
  await world.publish(200)
  await world.verify()
  await world.stop()
})

test('RP1 RP2 a processor that is deployed later reads all of history in order, a key in one unit', async () => {
  const world = await flowing({ pipelines: ['stateless'], packed: true })
  await systemClock.sleep(300)
  for (const to of [8, 3]) {
    await world.repartition(to)
    await world.stop()
    await world.run(1)
    await systemClock.sleep(200)
  }
  await world.stop()
  world.declareMore('keyed', 'reference')
  await world.run(2)
  await world.quiet()
  await world.verify()
  await world.stop()
})

test('RP1 RP2 state of changed code is made anew from before the change, and goes on where the former was', async () => {
  const world = await flowing({ pipelines: ['keyed'], packed: true })
  await systemClock.sleep(300)
  await world.repartition(8)
  await world.stop()
  world.rebuild()
  await world.run(2)
  await world.quiet()
  await world.verify()
  const counts = [...(await world.outputs('counted')).values()].map((all) => all.map(({ count }) => count))
  for (const count of counts)
    assert.equal(
      count,
      count.map((_, at) => at + 1),
    )
  await world.stop()
})

test('what is published while no processor runs is handled by the command, as far as it was stored before', async () => {
  const world = new MovingWorld(await sharedConnection(), { pipelines: ['keyed', 'stateless'] })
  await world.apply()
  await world.run(1)
  await world.publish(100)
  await world.stop()
  await world.publish(3_000)
  assert.is((await world.repartition(8)).outcome, 'done')
  await world.publish(100)
  await world.run(1)
  await world.verify()
  assert.is((await world.repartition(8)).outcome, 'nothing')
  await world.stop()
})

test.run()
