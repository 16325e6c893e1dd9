// Who asks an aggregate that is parked.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorClient } from '../../src/actor/actor-client.ts'
import { partitionOfAggregate } from '../../src/actor/aggregate-subject.ts'
import { reject } from '../../src/actor/decision.ts'
import { parkedUnit } from '../../src/kernel/parking/parked-unit.ts'
import { redriveKey } from '../../src/kernel/parking/redrive-key.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { start } from '../kernel/running.ts'
import { connectTo, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { deploy } from './running-actors.ts'
import { account, Deposit, Withdraw } from './sample-actors.ts'
import { inTime } from '../support/in-time.ts'

const test = suite('requests to parked aggregates')

test('RQ4 who waits for a command that is kept behind one that failed is told so at once, and later what became of it', async () => {
  const connection = await sharedConnection()
  const health = { ill: true }
  const withdraw = (): ReturnType<typeof reject> => {
    if (health.ill) throw new Error('ill')
    return reject('healthy', 'it can decide again')
  }
  const frail = { ...account, decide: new Map([...account.decide, ['account.withdraw', withdraw] as const]) }
  const deployment = await deploy(connection, [frail], { partitions: 2 })
  const processor = processorsOf(deployment).find(({ kind }) => kind === 'actor')
  const [records, commands] = deployment.streams
  assert.ok(processor && records && commands)
  const { registry } = deployment
  const running = await Promise.all(
    ['0', '1'].map((partition) => start(connection, processor, { partition, registry })),
  )
  const homes = [{ actor: frail.name, records, commands }]
  const of = async () => {
    const own = await connectTo((await sharedServer()).url)
    return createActorClient({ connection: own, clock: systemClock, newId: systemId, homes }).actor(frail)
  }
  const [one, other] = [await of(), await of()]
  const add = (id: string) => [Deposit({ accountId: 'a', amount: 1 }), { id, timeout: '60s' }] as const
  const take = [Withdraw({ accountId: 'a', amount: 1 }), { id: 'ill', timeout: '60s' }] as const

  assert.is((await one.request(...add('first'))).kind, 'accepted')
  const failed = await one.request(...take)
  assert.is(failed.kind === 'failed' && failed.code, 'DECIDE_FAILED')
  const behind = await one.request(...add('behind'))
  assert.is(behind.kind === 'failed' && behind.code, 'AGGREGATE_PARKED')
  assert.match(
    behind.kind === 'failed' ? behind.detail : '',
    /DECIDE_FAILED.*millrace parked redrive actor-account "a"/,
  )
  await inTime(900, 'the owner tells it', async (attempt) => {
    assert.is((await one.request(...add(`more ${attempt}`))).kind, 'failed')
  })
  // who asks again is told by nobody, and finds it in the log
  assert.equal(await other.request(...add('behind')), behind)
  assert.is((await other.request(...take)).kind, 'failed')
  // what was decided before, and what is for others, is as ever
  assert.is((await other.request(...add('first'))).kind, 'accepted')
  assert.is((await other.request(Deposit({ accountId: 'b', amount: 1 }))).kind, 'accepted')

  health.ill = false
  const partition = String(partitionOfAggregate('a', 2))
  const redriven = await redriveKey(connection, parkedUnit(processor, partition), 'a', { clock: systemClock })
  assert.is(redriven.kind, 'back')
  const after = await other.request(...add('behind'))
  assert.is(after.kind === 'accepted' && after.version, 2)
  const mended = await one.request(...take)
  assert.is(mended.kind === 'rejected' && mended.code, 'healthy')
  await Promise.all(running.map(({ run }) => run.stop()))
})

test.run()
