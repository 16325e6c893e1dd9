import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerPresence, askPresence } from '../../src/broker/presence.ts'
import { connectTo } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'

const test = suite('presence')

test('whoever answers is here, and gone when its connection has ended', async () => {
  const { url } = await sharedServer()
  const [one, other] = await Promise.all([connectTo(url), connectTo(url)])
  assert.type(await answerPresence(one, 'group', 'member', 20_000), 'function')
  assert.is(await askPresence(other, 'group', 'member', 20_000), 'here')
  await one.close()
  assert.is(await askPresence(other, 'group', 'member', 20_000), 'gone')
})

test('whose connection is closed or closing answers nobody, and nothing is thrown', async () => {
  const { url } = await sharedServer()
  const [closed, closing] = await Promise.all([connectTo(url), connectTo(url)])
  await closed.close()
  assert.is(await answerPresence(closed, 'group', 'closed', 200), undefined)
  const drained = closing.nats.drain()
  assert.is(await answerPresence(closing, 'group', 'closing', 200), undefined)
  await drained
})

test.run()
