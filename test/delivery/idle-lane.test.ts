// A lane that had much to do and has nothing now, beside one that has.
import { suite } from 'uvu'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { Asked, ask, place, Urgent, work } from './running-handlers.ts'

const test = suite('idle lanes')

const WORKER = 40
/** A question is open for each lane that has nothing in hand, and for what is due again. */
const LANES = 2

test('what an idle lane had asked for is given to the lane that has work', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  let ended = 0
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const declaration = defineHandler({
    name: 'lanes',
    on: { stream: at.stream.name, events: [Asked, Urgent] },
    lanes: [{ name: 'urgent', events: [Urgent], weight: 8 }],
    concurrency: WORKER,
    handle: async ({ type }) => {
      await (type === Urgent.type ? systemClock.sleep(2) : released)
      ended += 1
    },
  })
  const both = await Promise.all([work(connection, at, declaration), work(connection, at, declaration)])
  await ask(connection, at, 300, { contract: Urgent })
  await eventually('nothing is urgent', () => ended === 300 || undefined)
  await ask(connection, at, 3 * WORKER)
  const running = (): readonly number[] => both.map(({ run }) => run.status.running)
  try {
    await eventually('both do as much as they may', () => running().every((one) => one >= WORKER - LANES) || undefined)
  } finally {
    release()
  }
  await eventually('all', () => ended === 300 + 3 * WORKER || undefined)
})

test.run()
