import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readModels } from '../../../src/job/models-config.ts'
import { SharedAdmission } from '../../../src/job/limits/shared-admission.ts'
import { WaitingRoom } from '../../../src/job/limits/waiting-room.ts'
import { modelAnswers } from '../../../src/testing/model-server/model-answer.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { atEnd } from '../../support/cleanup.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { jobContext, LOG, work } from '../worker/working-jobs.ts'
import { NEVER } from './gates.ts'

const test = suite('the room before a class of models')

test('one waits, and one that is urgent; who is put off comes back in turn, at the pace at which calls begin', async () => {
  const clock = new VirtualClock()
  const room = new WaitingRoom(clock)
  const full = { running: 2, most: 2 }
  assert.ok(room.hasRoom(full, false))
  const leave = room.enter(false)
  assert.equal([room.hasRoom(full, false), room.hasRoom(full, true)], [false, true])
  const urgent = room.enter(true)
  assert.is(room.hasRoom(full, true), false)
  urgent(false)
  leave(false)
  assert.ok(room.hasRoom(full, false))
  assert.equal([room.turn(), room.turn(), room.turn()], [1_000, 2_000, 3_000])
  for (let turn = 0; turn < 30; turn++) assert.ok(room.turn() <= 15_000)
  const quick = new WaitingRoom(clock)
  for (let call = 0; call < 40; call++) {
    quick.enter(false)(true)
    await clock.pass(100)
  }
  const turns = [quick.turn(), quick.turn()]
  assert.ok((turns[1] ?? 0) < 250, turns.join(', '))
  let paused = 0
  for (let one = 0; one < 3; one++) void quick.pause(NEVER).then(() => (paused += 1))
  await clock.pass(1)
  assert.is(paused, 1, 'one after the other')
  await clock.pass(100)
  assert.is(paused, 3)
})

test('MG3 jobs of a class that answers nothing keep those of another one behind them waiting no longer than it takes to pass them', async () => {
  const connection = await sharedConnection()
  let [asked, answered] = [false, false]
  const server = await startModelServer({
    answers: async ({ model }) => {
      asked = true
      if (model === 'stuck') await eventually('it may be answered', () => answered, 120_000)
      return modelAnswers.json({ verdict: 'fine' })
    },
  })
  atEnd(() => server.stop())
  const classes = {
    one: { models: ['stuck'], concurrency: { least: 1, most: 1 } },
    other: { models: ['free'], concurrency: { least: 4, most: 4 } },
  }
  const admission = await SharedAdmission.open({
    connection,
    clock: systemClock,
    log: LOG,
    now: Date.now,
    chance: Math.random,
    replicas: 1,
    owner: 'w',
    credential: `rooms ${process.pid}`,
    models: readModels({ classes }),
    calls: ['stuck', 'free'].map((model) => ({ model, maxTokens: 200 })),
  })
  atEnd(() => admission.stop())
  const [stuck, free] = [
    await jobContext(connection, { model: 'stuck' }),
    await jobContext(connection, { model: 'free' }),
  ]
  const before = Array.from({ length: 12 }, (_, at) => `s${at}`)
  for (const id of before) await stuck.request(id)
  await work(stuck, server.url, { admission, queues: [...stuck.places, ...free.places] })
  await eventually('one is asked', () => asked || undefined)
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const id of ids) await free.request(id)
  for (const id of ids) assert.is((await free.over(id)).kind, 'decided')
  answered = true
  for (const id of before) assert.is((await stuck.over(id, 120_000)).kind, 'decided', 'none of them is lost')
})

test.run()
