// Ordered handlers over a stream whose number of partitions changes.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixed } from '../../../src/delivery/backoff.ts'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import type { HandlerDeclaration } from '../../../src/delivery/handler-options.ts'
import { park, retry } from '../../../src/delivery/recovery.ts'
import { partitionOfKey } from '../../../src/event/partition.ts'
import { parkedUnit, readUnitParking } from '../../../src/kernel/parking/parked-unit.ts'
import { redriveKey } from '../../../src/kernel/parking/redrive-key.ts'
import { partitionsOf } from '../../../src/kernel/processor.ts'
import { repartition } from '../../../src/kernel/repartition/repartition.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { createRuntime, type Runtime } from '../../../src/runtime/create-runtime.ts'
import type { Deployment } from '../../../src/runtime/deployment.ts'
import { processorsOf } from '../../../src/runtime/processors.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { readAll } from '../../support/events.ts'
import { ask, Asked, Done, letters, place, registry, type Place } from '../running-handlers.ts'

const test = suite('ordered handlers and partitions')

function deploymentOf({ stream, work }: Place, declaration: HandlerDeclaration): Deployment {
  const ordered = [{ declaration, stream, work, emitsTo: stream }]
  const nothing = { folder: '', pipelines: [], rules: [], actors: [], homes: new Map() }
  return { ...nothing, streams: [stream, work], registry, ordered }
}

test('DL9 DL11 what is open, put off or parked goes on in its order, when the number of partitions changes', async () => {
  const connection = await sharedConnection()
  const at = await place(connection, { partitions: 4 })
  const group = `g-${at.stream.name}`
  const handled: number[] = []
  const attempts = new Map<number, number[]>()
  let ill = true
  const declaration = defineHandler({
    name: 'moving',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: retry({ attempts: 1_000, immediate: 0, backoff: fixed(250), last: park() }),
    emits: { stream: at.stream.name, events: [Done] },
    classify: (error) => (String(error).includes('park') ? park() : undefined),
    handle: ({ data }, { attempt }) => {
      const { n } = data
      attempts.set(n, [...(attempts.get(n) ?? []), attempt])
      if (ill && n === 1) throw new Error('park it')
      if (ill && n === 2) throw new Error('later')
      handled.push(n)
      return Done(data)
    },
  })
  const run = async (where: Place): Promise<Runtime> => {
    const deployment = deploymentOf(where, declaration)
    const options = { connection, clock: systemClock, log: silentLog, owner: 'p', group }
    const runtime = await createRuntime({ ...options, deployment })
    runtime.ended.catch(() => undefined)
    atEnd(() => runtime.stop())
    return runtime
  }
  let where = at
  let runtime = await run(where)
  await ask(connection, where, 21)
  await eventually('the others', () => handled.length === 15 || undefined)
  const parkedIn = async (now: Place) => {
    const processor = processorsOf(deploymentOf(now, declaration)).find(({ kind }) => kind === 'handler')
    assert.ok(processor)
    const parked: string[] = []
    for (const partition of partitionsOf(processor))
      for (const { key } of (await readUnitParking(connection, parkedUnit(processor, partition)))?.parked ?? [])
        parked.push(key)
    return { processor, parked }
  }
  await eventually('parked', async () => (await parkedIn(where)).parked.length === 1 || undefined)
  for (const to of [8, 3]) {
    const processors = processorsOf(deploymentOf(where, declaration))
    const shared = { connection, registry, clock: systemClock, log: silentLog, patience: 60_000, group }
    const report = await repartition({
      ...shared,
      owner: 'command',
      processors,
      stream: where.stream,
      to,
      cut: new Set<string>(),
    })
    assert.is(report.outcome, 'done')
    await runtime.stop()
    where = { ...where, stream: { ...where.stream, partitions: to } }
    runtime = await run(where)
    await ask(connection, where, 7, { from: to === 8 ? 21 : 28 })
  }
  await eventually('the others', () => handled.length === 25 || undefined)
  assert.not(handled.includes(8) || handled.includes(9), 'they wait')
  ill = false
  const { processor, parked } = await parkedIn(where)
  assert.equal(parked, ['k1'])
  const unit = parkedUnit(processor, String(partitionOfKey('k1', 3)))
  await redriveKey(connection, unit, 'k1', { clock: systemClock })
  await eventually('all', () => handled.length === 35 || undefined)
  for (let key = 0; key < 7; key++) {
    const own = handled.filter((n) => n % 7 === key)
    assert.equal(own, [key, key + 7, key + 14, key + 21, key + 28])
  }
  const tried = attempts.get(2) ?? []
  assert.ok(tried.length > 2)
  for (const [nth, attempt] of tried.entries())
    if (nth > 0) assert.ok(attempt - (tried[nth - 1] ?? 0) <= 1 && attempt >= (tried[nth - 1] ?? 0), tried.join())
  const done = async (): Promise<number> =>
    (await readAll(connection, where.stream.name, [`${where.stream.root}.*.thing.done`])).length
  await eventually('emitted', async () => (await done()) >= 35 || undefined)
  assert.is(await done(), 35)
  assert.is((await letters(connection, where)).length, 1)
})

test.run()
