// Handlers, against the loops that people write in their place, and against BullMQ; dead letters that are redriven.
import { messageOf } from '../../src/error/millrace-error.ts'
import { isWanted, measure, type Bench, type BenchContext } from '../harness.ts'
import { wireEvents } from '../payments.ts'
import { startBullMq, type Peer } from './bullmq.ts'
import { handled, looped, siteOf } from './handling.ts'
import { redrive } from './redrive.ts'

const COUNT = 50_000
const IN_FLIGHT = 256
/** For those that are slow. */
const FEWER = 5_000
const CONCURRENCIES = [1, 10, 100]

export const delivery: Bench = async (context) => {
  const { connection, other } = context
  let round = 0
  const name = (): string => `bench-${(round += 1)}`
  if (isWanted(context, 'delivery.noop')) {
    const site = await siteOf(connection, COUNT)
    await measure(context, 'delivery', {
      name: 'delivery.noop',
      unit: 'events/s',
      against: `for await + JSON.parse + ackAck(), ${IN_FLIGHT} at a time`,
      candidate: () => handled(connection, site, name(), IN_FLIGHT),
      baseline: () => looped(other, site, name(), IN_FLIGHT),
    })
  }
  if (isWanted(context, 'delivery.naive')) {
    const site = await siteOf(connection, FEWER)
    await measure(context, 'delivery', {
      name: 'delivery.naive',
      unit: 'events/s',
      against: 'for await + JSON.parse + await ackAck(), one after the other',
      candidate: () => handled(connection, site, name(), IN_FLIGHT),
      baseline: () => looped(other, site, name(), 1),
    })
  }
  await redrive(context)
  await peers(context, name)
}

async function peers(context: BenchContext, name: () => string): Promise<void> {
  const cases = CONCURRENCIES.map((concurrency) => ({ concurrency, name: `delivery.bullmq-${concurrency}` }))
  if (!context.peers || !isWanted(context, ...cases.map((one) => one.name))) return
  let peer: Peer
  try {
    peer = await startBullMq()
  } catch (error) {
    console.error(`delivery.bullmq is left out: ${messageOf(error).split('\n')[0]}`)
    return
  }
  try {
    const site = await siteOf(context.connection, FEWER)
    const events = wireEvents(site.stream, FEWER).map(({ data }) => JSON.parse(Buffer.from(data).toString()) as unknown)
    for (const { concurrency, name: own } of cases)
      await measure(context, 'delivery', {
        name: own,
        unit: 'events/s',
        against: `BullMQ ${peer.version}, Redis with appendfsync everysec, concurrency ${concurrency}`,
        candidate: () => handled(context.connection, site, name(), concurrency),
        baseline: () => peer.run(events, concurrency),
      })
  } finally {
    await peer.stop()
  }
}
