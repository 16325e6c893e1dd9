import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { batchQueueOf } from '../../src/broker/batch-queue.ts'
import { expectLastSequence } from '../../src/broker/batch.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { freshStream } from '../support/broker.ts'
import { startCluster } from '../support/cluster.ts'
import { numbered, readNumbers, upTo } from '../support/numbered.ts'

const test = suite('a cluster of three')

test('P2 killed leader of a replicated stream: publishes go on, nothing is lost or stored twice, the node comes back', async () => {
  const cluster = await startCluster()
  const stream = await freshStream(await cluster.connect(), { replicas: 3 })
  await cluster.healthy(stream.name)
  const leader = await cluster.leaderOf(stream.name)
  // the client sits on the node that is killed: it has to find another one too
  const connection = await cluster.connect(leader)
  const publisher = new Publisher(connection, { clock: systemClock, ackTimeout: 1_000 })
  const receipts: Promise<unknown>[] = []
  for (const n of upTo(6_000)) {
    await publisher.ready()
    receipts.push(publisher.publish(numbered(stream, n)))
    if (n === 3_000) await leader.kill()
  }
  await Promise.all(receipts)
  publisher.close()
  const next = await cluster.leaderOf(stream.name)
  assert.is.not(next.name, leader.name)
  assert.equal(await readNumbers(connection, stream), upTo(6_000))

  const queue = batchQueueOf(connection, stream.name)
  const group = (writer: number) => {
    const [one, two] = [numbered(stream, 6_000), numbered(stream, 6_001)]
    return [
      { ...one, headers: [] },
      { ...two, subject: `millrace.${stream.name}.w${writer}`, headers: [expectLastSequence(0)] },
    ]
  }
  assert.equal(await Promise.all(upTo(4).map((writer) => queue.publish(group(writer)))), [6_002, 6_004, 6_006, 6_008])

  await leader.restart()
  await cluster.healthy(stream.name)
  assert.is((await connection.manager.streams.info(stream.name)).state.messages, 6_008)
})

test.run()
