import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sharedConnection } from '../../support/broker.ts'
import { MovingWorld } from './moving-world.ts'

const test = suite('changing the number of partitions')

test('RP4 keyed and stateless processors go from 4 to 8 to 3 while events flow: each output once, in order', async () => {
  const world = new MovingWorld(await sharedConnection(), { pipelines: ['keyed', 'stateless'] })
  await world.apply()
  await world.run(2)
  world.flow()
  for (const to of [8, 3]) {
    const report = await world.repartition(to)
    assert.is(report.outcome, 'done')
    await world.stop()
    await world.run(2)
  }
  await world.quiet()
  await world.verify()
  await world.stop()
})

test.run()
