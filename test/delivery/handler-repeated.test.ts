// Copies of one event: a server that was killed delivers what was done with long ago, or fires a schedule twice.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { delayedSubject } from '../../src/broker/work-stream.ts'
import { subjectsIn } from '../../src/broker/subjects-in.ts'
import { fullJitter } from '../../src/delivery/backoff.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { openPublished } from '../../src/delivery/open-message.ts'
import { putOff } from '../../src/delivery/put-off.ts'
import { retry } from '../../src/delivery/recovery.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { ask, Asked, inWork, letters, place, registry, work } from './running-handlers.ts'

const test = suite('copies of an event of a handler')

test('DL2 an earlier copy that comes back takes the place of a later one, and its attempts follow all the same', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: number[] = []
  let luck = 0.01
  const declaration = defineHandler({
    name: 'again',
    on: { stream: at.stream.name, events: [Asked] },
    recovery: retry({ attempts: 4, immediate: 0, backoff: fullJitter('30s', '5m') }),
    handle: (_, { attempt }) => {
      seen.push(attempt)
      // the third attempt waits until the other copy is there, however long that takes; the others do not wait for long
      luck = seen.length === 2 ? 0.99 : 0.005
      throw new Error('not yet')
    },
  })
  const { failures } = await work(connection, at, declaration, { chance: () => luck })
  await ask(connection, at, 1)
  const waiting = delayedSubject(at.work.name, 'again', '>')
  await eventually(
    'the third attempt waits',
    async () => (seen.length === 2 && (await subjectsIn(connection, at.work.name, waiting)).length === 1) || undefined,
  )

  // as after a kill of the server, which does not know the ids of what it has removed: the first copy failed once more
  const [message] = await readAll(connection, at.stream.name, [`${at.stream.root}.>`])
  assert.ok(message)
  const now = systemClock.now()
  const held = { message, source: 0, deliveries: 2, reply: '', renewedAt: 0, open: 0, left: false }
  const { items } = openPublished({ declaration, registry, stream: at.stream.name, now }, held)
  assert.ok(items[0])
  const second = { attempt: 2, attempts: [{ at: now, code: 'HANDLER_FAILED' }], generation: 0 }
  const { headers, ...rest } = putOff(at.work.name, 'again', items[0], second, now)
  await publishOnce(connection, { ...rest, headers: headers.filter(([name]) => name !== 'Nats-Msg-Id') })

  await eventually('it is given up', async () => (await letters(connection, at)).length === 1 || undefined)
  assert.equal(seen, [1, 2, 2, 3, 4])
  await eventually('nothing waits', async () => (await inWork(connection, at)) === 0 || undefined)
  assert.equal(failures, [])
})

test.run()
