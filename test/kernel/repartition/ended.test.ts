import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { processorId } from '../../../src/kernel/processor.ts'
import { readNote } from '../../../src/kernel/repartition/partitions-note.ts'
import type { RepartitionStep } from '../../../src/kernel/repartition/repartition-options.ts'
import { ProcessorRun } from '../../../src/kernel/run-processor.ts'
import type { MillraceError } from '../../../src/error/millrace-error.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually, sharedConnection } from '../../support/broker.ts'
import { faultOf } from '../../support/numbered.ts'
import { sharedServer } from '../../support/nats.ts'
import { MovingWorld } from './moving-world.ts'

const test = suite('a change of the number of partitions that is ended, or not alone')

const STEPS: readonly RepartitionStep[] = [
  'begun',
  'paused',
  'held',
  'drained',
  'ready',
  'changed',
  'switched',
  'drained-again',
  'moved',
  'tidied',
  'resumed',
]

/** Runs it on a connection of its own, which is gone at a step, as with its process. */
async function killedAt(
  world: MovingWorld,
  to: number,
  step: RepartitionStep,
  cut: ReadonlySet<string>,
): Promise<void> {
  const connection = await connectTo((await sharedServer()).url)
  const killed = new Error('killed')
  const between = async (at: RepartitionStep): Promise<void> => {
    if (at !== step) return
    await connection.close()
    throw killed
  }
  try {
    await world.repartition(to, { connection, between, cut })
  } catch (error) {
    if (error === killed) return
    throw error
  }
  throw new Error(`there was no step ${step}`)
}

test('RP3 killed at each step, one after the other, and run again each time, it comes to its end', async () => {
  const world = new MovingWorld(await sharedConnection(), { pipelines: ['keyed', 'stateless', 'slots'], idle: '10m' })
  const cut = new Set(['pipeline-group'])
  await world.apply()
  await world.run(2)
  world.flow()
  for (const step of STEPS) await killedAt(world, 8, step, cut)
  const { outcome } = await world.repartition(8, { cut })
  assert.is(outcome, 'done')
  await world.stop()
  await world.run(2)
  await world.quiet()
  await world.verify()
  await world.stop()
})

test('RP3 before the stream changes it can be taken back, and everything goes on as it was', async () => {
  const world = new MovingWorld(await sharedConnection(), { pipelines: ['keyed', 'stateless'] })
  await world.apply()
  await world.run(2)
  world.flow()
  for (const step of ['begun', 'held', 'ready'] as const) {
    await killedAt(world, 8, step, new Set())
    const other = await faultOf(world.repartition(6))
    assert.is(other.code, 'REPARTITION_UNDERWAY')
    assert.match(other.detail, /from 4 to 8 partitions; finish that first$/)
    assert.is((await world.repartition(4)).outcome, 'taken-back')
  }
  await world.quiet()
  await world.verify()
  await world.stop()
})

test('RP3 after the stream has changed there is no way back, and nobody gets a unit before it is finished', async () => {
  const connection = await sharedConnection()
  const world = new MovingWorld(connection, { pipelines: ['keyed'] })
  await world.apply()
  await world.publish(100)
  await killedAt(world, 8, 'switched', new Set())
  assert.is((await faultOf(world.repartition(4))).code, 'REPARTITION_UNDERWAY')
  world.declare(8)
  const [keyed] = world.options(8).processors.filter((one) => processorId(one) === 'pipeline-count')
  const options = { connection, clock: systemClock, log: silentLog, owner: 'early', partition: '1' }
  const { registry } = world.options(8)
  const start = ProcessorRun.start(keyed!, { ...options, registry, onFailure: () => undefined })
  assert.is((await faultOf(start)).code, 'REPARTITION_UNDERWAY')
  assert.is((await world.repartition(8)).outcome, 'done')
  await world.run(1)
  await world.publish(100)
  await world.verify()
  await world.stop()
})

test('RP4 a unit that nobody asked to pause is fenced, and what it has not committed comes out once', async () => {
  const connection = await sharedConnection()
  const world = new MovingWorld(connection, { pipelines: ['keyed'] })
  await world.apply()
  world.flow()
  const failures: MillraceError[] = []
  const { processors, registry } = world.options(4)
  for (const processor of processors.filter((one) => processorId(one) === 'pipeline-count'))
    for (const partition of ['0', '1', '2', '3']) {
      const options = { connection, clock: systemClock, log: silentLog, registry, owner: 'alone', partition }
      await ProcessorRun.start(processor, { ...options, onFailure: (error) => void failures.push(error) })
    }
  await systemClock.sleep(300)
  await world.repartition(8)
  await eventually('all are fenced', () => failures.length === 4)
  assert.equal(new Set(failures.map(({ code }) => code)), new Set(['PROCESSOR_FENCED']))
  await world.run(1)
  await world.quiet()
  await world.verify()
  await world.stop()
})

test('RP3 of two commands at a time one does it; one that is frozen while another finishes does no harm', async () => {
  const connection = await sharedConnection()
  const world = new MovingWorld(connection, { pipelines: ['keyed', 'stateless'] })
  await world.apply()
  await world.run(1)
  world.flow()
  await systemClock.sleep(200)
  for (const [to, frozenAt] of [
    [8, 'held'],
    [4, 'ready'],
    [6, 'switched'],
    [4, 'drained-again'],
    [8, 'moved'],
  ] as const) {
    let thaw = (): void => undefined
    const thawed = new Promise<void>((resolve) => (thaw = resolve))
    let freeze = (): void => undefined
    const frozen = new Promise<void>((resolve) => (freeze = resolve))
    const between = (step: RepartitionStep): Promise<void> | void => {
      if (step !== frozenAt) return
      freeze()
      return thawed
    }
    const own = await connectTo((await sharedServer()).url)
    const first = faultOf(world.repartition(to, { connection: own, between }))
    await frozen
    assert.is((await world.repartition(to)).outcome, 'done', frozenAt)
    await world.stop()
    await world.run(1)
    await systemClock.sleep(100)
    thaw()
    const { code } = await first
    assert.ok(
      ['REPARTITION_UNDERWAY', 'PROCESSOR_FENCED', 'REPARTITION_PROCESSOR_FAILED'].includes(code),
      `${frozenAt}: ${code}`,
    )
    assert.is((await readNote(connection, world.stream.name))?.phase, 'done')
  }
  await world.quiet()
  await world.verify()
  await world.stop()
})

test.run()
