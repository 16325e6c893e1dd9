// A handler that is deployed anew with other lanes: what was handled, and what waits.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import type { HandlerDeclaration, LaneOptions } from '../../src/delivery/handler-options.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { upTo } from '../support/numbered.ts'
import { Asked, ask, place, Urgent, work, type Place } from './running-handlers.ts'

const test = suite('lanes that are changed')
const URGENT: LaneOptions = { name: 'urgent', events: [Urgent], weight: 8 }

function collecting(
  { stream }: Place,
  lanes: readonly LaneOptions[],
  handled: number[],
  from: 'first' | 'new' = 'first',
): HandlerDeclaration {
  return defineHandler({
    name: 'notify',
    on: { stream: stream.name, events: [Asked, Urgent], from },
    lanes,
    handle: ({ data: { n } }) => void handled.push(n),
  })
}

for (const from of ['first', 'new'] as const)
  test(`DL5 a lane that is new goes on where its events were handled before, with from: '${from}'`, async () => {
    const connection = await sharedConnection()
    const at = await place(connection)
    const handled: number[] = []
    const before = await work(connection, at, collecting(at, [], handled, from))
    await ask(connection, at, 20, { contract: Urgent })
    await eventually('the first are done', () => before.run.status.counts.done === 20 || undefined)
    await before.run.stop()
    await ask(connection, at, 20, { contract: Urgent, from: 20 })
    await ask(connection, at, 20, { from: 40 })
    const { run } = await work(connection, at, collecting(at, [URGENT], handled, from))
    await eventually('what waited is done', () => run.status.counts.done === 40 || undefined)
    await run.stop()
    assert.equal(
      handled.toSorted((a, b) => a - b),
      upTo(60),
    )
  })

test('DL5 a lane that takes some of the events of another one goes on where that one was', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const handled: number[] = []
  const all = { name: 'all', events: [Asked, Urgent], weight: 1 }
  const before = await work(connection, at, collecting(at, [all], handled))
  await ask(connection, at, 20, { contract: Urgent })
  await eventually('the first are done', () => before.run.status.counts.done === 20 || undefined)
  await before.run.stop()
  await ask(connection, at, 20, { contract: Urgent, from: 20 })
  const { run } = await work(connection, at, collecting(at, [{ ...all, events: [Asked] }, URGENT], handled))
  await ask(connection, at, 20, { from: 40 })
  await eventually('all are done', () => run.status.counts.done === 40 || undefined)
  await run.stop()
  assert.equal(
    handled.toSorted((a, b) => a - b),
    upTo(60),
  )
})

test('DL5 a lane that was deleted, and gets the events of another one too, has what it alone had not done', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const handled: number[] = []
  const stuck = defineHandler({
    name: 'notify',
    on: { stream: at.stream.name, events: [Asked, Urgent] },
    lanes: [URGENT],
    handle: async ({ type, data: { n } }, { signal }) => {
      if (type === Asked.type) await new Promise((_, reject) => (signal.onabort = () => reject(new Error('stopped'))))
      handled.push(n)
    },
  })
  const before = await work(connection, at, stuck, { stopGraceMs: 50 })
  await ask(connection, at, 5)
  await ask(connection, at, 10, { from: 5, contract: Urgent })
  await eventually('what is urgent is done', () => before.run.status.counts.done === 10 || undefined)
  await before.run.stop()
  await connection.manager.consumers.delete(at.stream.name, 'handler-notify')
  const { run } = await work(connection, at, collecting(at, [], handled))
  await eventually('all are done', () => new Set(handled).size === 15 || undefined)
  await run.stop()
})

test.run()
