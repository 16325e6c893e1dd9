import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { ask, Asked, consumerOf, place, Urgent, work } from './running-handlers.ts'

const test = suite('fan-out and lanes')
const connection = await sharedConnection()

test('handlers of one stream have their own progress: one that hangs holds up no other', async () => {
  const where = await place(connection)
  const on = { stream: where.stream.name, events: [Asked] as [typeof Asked] }
  const seen: number[] = []
  let release = (): void => undefined
  const hanging = new Promise<void>((resolve) => (release = resolve))
  let slow = 0
  const slowHandle = async (): Promise<void> => {
    await hanging
    slow += 1
  }
  await work(connection, where, defineHandler({ name: 'fast', on, handle: ({ data }) => void seen.push(data.n) }))
  await work(connection, where, defineHandler({ name: 'slow', on, concurrency: 1, handle: slowHandle }))
  await ask(connection, where, 40)
  await eventually('the fast one has all', () => seen.length === 40 || undefined)
  await eventually('the slow one has all before it', async () => {
    const { num_pending, num_ack_pending } = await consumerOf(connection, where.stream.name, 'handler-slow')
    return num_pending + num_ack_pending === 40 || undefined
  })
  assert.is(slow, 0)
  release()
  await eventually('the slow one too', () => slow === 40 || undefined)
})

test('of two lanes that are both saturated the lower one keeps its share', async () => {
  // where a machine stands still one lane may have nothing at hand for a while: it is not so each time
  let lower = 0
  for (let tries = 3; tries > 0 && (lower < 12 || lower > 50); tries--) lower = await lowerOf120()
  assert.ok(lower >= 12 && lower <= 50, `${lower} of 120, a quarter is meant`)
})

/** How many of 120 are of the lower lane. */
async function lowerOf120(): Promise<number> {
  const where = await place(connection)
  await ask(connection, where, 200, { contract: Urgent })
  await ask(connection, where, 200)
  const order: string[] = []
  const declaration = defineHandler({
    name: 'lanes',
    on: { stream: where.stream.name, events: [Asked, Urgent] },
    concurrency: 4,
    lanes: [{ name: 'urgent', events: [Urgent], weight: 3 }],
    handle: async ({ type }) => {
      await new Promise((resolve) => setTimeout(resolve, 15))
      order.push(type)
    },
  })
  const { run } = await work(connection, where, declaration)
  await eventually('enough', () => order.length >= 240 || undefined)
  // from when the server has delivered of both
  const begins = Math.max(order.indexOf(Asked.type), order.indexOf(Urgent.type))
  await run.stop()
  return order.slice(begins, begins + 120).filter((type) => type === Asked.type).length
}

test.run()
