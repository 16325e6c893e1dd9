import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Floors, HANDLER_BUCKET } from '../../src/delivery/floors.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo } from '../support/broker.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('floors')

test('DL5 a floor is stored although the bucket takes nothing at first, as where its leader is elected', async () => {
  const connection = await connectTo((await startTestServer()).url)
  const floors = new Floors(connection, systemClock)
  await floors.prepare(1)
  const stream = `KV_${HANDLER_BUCKET}`
  const { config } = await connection.manager.streams.info(stream)
  await connection.manager.streams.delete(stream)
  const floor = { created: 'then', floor: 7 }
  const written = floors.write('handler-a', floor)
  await systemClock.sleep(300)
  await connection.manager.streams.add(config)
  await written
  assert.equal(await floors.read('handler-a'), floor)
})

test.run()
