// Very many events that wait: 30,000, or as many as MILLRACE_WAITING says (100,000 take 16 s).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineEvent } from '../../src/event/contract.ts'
import { DelayedEvents } from '../../src/schedule/delayed-events.ts'
import { listDelayed } from '../../src/schedule/list-delayed.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream } from '../support/broker.ts'
import { ownServer } from '../support/nats.ts'

const test = suite('very many events for later')
const Reminded = defineEvent('order.reminded', { data: z.object({ n: z.number() }), key: ({ n }) => `k${n % 1_000}` })
const WAITING = Number(process.env['MILLRACE_WAITING'] ?? 30_000)
const SOON = 500

test('DE1 30,000 wait, are listed page by page in the order of their times, outlive a kill, and come', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const delayed = new DelayedEvents({ connection, stream, events: [Reminded], clock: systemClock, newId: systemId })
  const far = Date.now() + 3_600_000
  // batches on their way side by side; times go against the order in which they are set
  let from = 0
  const setSome = async (): Promise<void> => {
    while (from < WAITING) {
      const first = from
      from += 500
      await delayed.store({
        schedule: Array.from({ length: 500 }, (_, at) => {
          const n = first + at
          return { event: Reminded({ n }), at: far + (WAITING - n) * 10, id: `r-${n}` }
        }),
      })
    }
  }
  await Promise.all(Array.from({ length: 4 }, setSome))
  const ids = Array.from({ length: SOON }, (_, n) => n)
  await server.kill()
  await server.restart()
  const page = await eventually('it is back', () =>
    listDelayed(connection, systemClock, stream.name, { limit: 3 }).catch(() => undefined),
  )
  assert.is(page.total, WAITING)
  assert.equal(
    page.waiting.map(({ id }) => id),
    [1, 2, 3].map((at) => `r-${WAITING - at}`),
  )
  const second = await listDelayed(connection, systemClock, stream.name, { limit: 2, after: page.next })
  assert.equal(
    second.waiting.map(({ id, due }) => [id, due]),
    [
      [`r-${WAITING - 4}`, far + 40],
      [`r-${WAITING - 5}`, far + 50],
    ],
  )
  // some of them, sooner: among all that wait they come in time
  const due = Date.now() + 300
  const replaced = await delayed.store({
    schedule: ids.map((n) => ({ event: Reminded({ n }), at: due, id: `r-${n}` })),
  })
  assert.ok(replaced.scheduled.every(({ outcome }) => outcome === 'replaced'))
  const events = async (): Promise<number> =>
    Object.values(
      (await connection.manager.streams.info(stream.name, { subjects_filter: `${stream.root}.>` })).state.subjects ??
        {},
    ).reduce((sum, one) => sum + one, 0)
  await eventually('they come', async () => (await events()) === SOON || undefined)
  const waiting = async (): Promise<number> =>
    (await listDelayed(connection, systemClock, stream.name, { limit: 1 })).total
  // one that has come is forgotten right after it
  await eventually('they wait no more', async () => (await waiting()) <= WAITING - SOON || undefined)
  assert.is(await waiting(), WAITING - SOON)
  delayed.close()
})

test.run()
