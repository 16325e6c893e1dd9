// Answers of the past with the rights that processes have in nats-server.conf.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectBroker } from '../../src/broker/connection.ts'
import { BucketAnswers } from '../../src/job/bucket-answers.ts'
import type { ModelAsk } from '../../src/job/model-client.ts'
import type { Log } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from '../support/cleanup.ts'
import { confEnvironment, PASSWORD, startFromConf } from '../support/conf-server.ts'

const test = suite('answers of the past and the users of nats-server.conf')
const scope = { context: 'SHOP', tenant: 'acme', ttl: 60_000 }
const answer = { text: '{}', stopReason: 'end_turn', model: 'm', savedTokens: 12, job: 'j1' }
const asking = (text: string): ModelAsk => ({
  model: 'm',
  maxTokens: 9,
  system: [],
  user: [{ type: 'text', text }],
  schema: undefined,
})

test('AC1 the user of processes makes the bucket millrace_answers, keeps answers in it, and finds them', async () => {
  const node = await startFromConf(await confEnvironment())
  await node.ready()
  const auth = { kind: 'user', user: 'runtime', password: PASSWORD } as const
  const connection = await connectBroker({ servers: [node.url], auth, name: 'test', timeout: 5_000, origin: 'test' })
  atEnd(() => connection.close())
  const warned: unknown[] = []
  const say = (...parts: unknown[]): void => void warned.push(parts)
  const log: Log = { debug: () => undefined, info: () => undefined, warn: say, error: say }
  const cache = new BucketAnswers({ connection, clock: systemClock, now: () => Date.now(), log })
  await cache.prepare(1)
  const found = await cache.find(asking('one'), scope)
  if (found.kind !== 'miss') throw new Error(found.kind)
  await found.store(answer)
  assert.equal(await cache.find(asking('one'), scope), { kind: 'hit', answer })
  await cache.keep(cache.keyOf(asking('two'), scope), scope.ttl, answer)
  assert.equal(await cache.find(asking('two'), scope), { kind: 'hit', answer })
  assert.equal(warned, [])
})

test.run()
