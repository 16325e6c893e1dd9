import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { requireNoDrift } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { PlanStep } from '../../src/broker/plan-streams.ts'
import { lastMerged } from '../../src/broker/update-sources.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { High, Reading, readings } from '../support/kill-fixture.ts'
import { apply, declareInputs, merged, mergeOf, origin, originsIn, pipelineName, plan } from '../support/merging.ts'
import { faultOf } from '../support/numbered.ts'

const test = suite('merging on a server')
const BOTH = ['reading.taken', 'reading.high']

async function stepOf(connection: Connection, ...streams: StreamDeclaration[]): Promise<PlanStep | undefined> {
  const last = streams.at(-1)
  return (await plan(connection, ...streams)).find(({ stream }) => stream === last?.name)
}

/** Checks that what is merged is what the inputs hold, each once and in its order. */
async function checkExact(
  connection: Connection,
  merge: StreamDeclaration,
  inputs: readonly StreamDeclaration[],
  types?: string[],
): Promise<void> {
  const wanted = await Promise.all(inputs.map((input) => originsIn(connection, input, types)))
  const found = (await merged(connection, merge, wanted.flat().length)).map(origin)
  assert.is(found.length, wanted.flat().length)
  for (const [at, { name }] of inputs.entries())
    assert.equal(
      found.filter((one) => one.startsWith(`${name}:`)),
      wanted[at],
      name,
    )
}

test('M1 everything of every input once, in the order of each, and nothing is left to plan', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {}, { retention: { maxAge: '1d' } })
  const merge = mergeOf(pipelineName(), inputs)
  assert.is((await stepOf(connection, ...inputs, merge))?.kind, 'create')
  await apply(connection, ...inputs, merge)
  for (const input of inputs) await publishAll(connection, input, readings(300, 1))
  await checkExact(connection, merge, inputs)
  requireNoDrift(await plan(connection, ...inputs, merge))
  await apply(connection, ...inputs, merge)
  await checkExact(connection, merge, inputs)
})

test('what was stored before the merge is merged too; types that are not asked for are not', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {})
  await apply(connection, ...inputs)
  for (const input of inputs)
    await publishAll(connection, input, [...readings(50), High({ machine: 'm1', value: 99 }), ...readings(50)])
  const merge = mergeOf(pipelineName(), inputs)
  await apply(connection, ...inputs, merge)
  await checkExact(connection, merge, inputs)
})

test('M3 a key of inputs with 16, 4 and 12 partitions is in one, which one reader reads', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({ partitions: 16 }, { partitions: 4 }, { partitions: 12 })
  const merge = mergeOf(pipelineName(), inputs)
  assert.is(merge.partitions, 4)
  await apply(connection, ...inputs, merge)
  for (const input of inputs) await publishAll(connection, input, readings(400))
  await merged(connection, merge, 1_200)
  const partitionOf = new Map<string, number>()
  for (let partition = 0; partition < 4; partition++) {
    const messages = await readAll(connection, merge.name, [storedFilter(merge.root, 'reading.taken', partition)])
    for (const { headers } of messages) {
      const key = headers.get('ce-partitionkey') ?? ''
      assert.is(partitionOf.get(key) ?? partition, partition, key)
      partitionOf.set(key, partition)
    }
  }
  assert.is(partitionOf.size, 40)
  assert.is(new Set(partitionOf.values()).size, 4)
})

test('two inputs may have the same message id: both are merged', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {})
  const merge = mergeOf(pipelineName(), inputs)
  await apply(connection, ...inputs, merge)
  for (const input of inputs)
    await publishAll(connection, input, [Reading({ machine: 'm1', value: 1 }, { id: 'same', source: '/same' })])
  await checkExact(connection, merge, inputs)
})

test('M4 another type, while events flow: nothing is merged twice, nothing is left out', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {})
  const name = pipelineName()
  const before = mergeOf(name, inputs)
  await apply(connection, ...inputs, before)
  const mix = readings(1_500).flatMap((one, at) => (at % 3 === 0 ? [one, High(one.data)] : [one]))
  for (const input of inputs) await publishAll(connection, input, readings(200))
  await merged(connection, before, 400)
  const publishing = Promise.all(inputs.map((input) => publishAll(connection, input, mix)))
  const after = mergeOf(name, inputs, BOTH)
  const step = await stepOf(connection, ...inputs, after)
  assert.equal(step?.kind === 'update' && step.changes.map(({ setting }) => setting), ['sources'])
  await apply(connection, ...inputs, after)
  await publishing
  for (const input of inputs) await publishAll(connection, input, mix.slice(0, 50))
  const wanted = (await Promise.all(inputs.map((input) => originsIn(connection, input)))).flat()
  const found = await eventually('all merged', async () => {
    const all = (await merged(connection, after, wanted.length)).map(origin)
    return wanted.every((one) => all.includes(one)) ? all : undefined
  })
  assert.is(new Set(found).size, found.length, 'none twice')
  requireNoDrift(await plan(connection, ...inputs, after))
  // events of the new type from the change on; the 50 that came last are surely among them
  for (const input of inputs) {
    const high = await originsIn(connection, input, ['reading.high'])
    assert.ok(high.slice(-10).every((one) => found.includes(one)))
  }
})

test('M4 an apply that ended in the middle of a change is completed by the next, and nothing is merged twice', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {})
  const merge = mergeOf(pipelineName(), inputs)
  await apply(connection, ...inputs, merge)
  for (const input of inputs) await publishAll(connection, input, readings(100))
  await merged(connection, merge, 200)
  const { manager } = connection
  const { sources = [] } = (await manager.streams.info(merge.name)).config
  await manager.streams.update(merge.name, { sources: sources.slice(1) })
  for (const input of inputs) await publishAll(connection, input, readings(100))
  const steps = await plan(connection, ...inputs, merge)
  assert.throws(
    () => requireNoDrift(steps),
    (error: MillraceError) => error.code === 'STREAM_DRIFT' && /sources/.test(error.detail),
  )
  await apply(connection, ...inputs, merge)
  await checkExact(connection, merge, inputs)
  assert.is(await lastMerged(connection, merge.name, inputs[0]?.name ?? ''), 200)
})

test('M4 an input more and an input less are updates; the others go on where they are', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {}, {}) as [StreamDeclaration, StreamDeclaration, StreamDeclaration]
  const [one, two, three] = inputs
  const name = pipelineName()
  await apply(connection, ...inputs, mergeOf(name, [one, two]))
  for (const input of inputs) await publishAll(connection, input, readings(60))
  await merged(connection, mergeOf(name, [one, two]), 120)
  await apply(connection, ...inputs, mergeOf(name, inputs))
  await checkExact(connection, mergeOf(name, inputs), inputs)
  await apply(connection, ...inputs, mergeOf(name, [two, three]))
  for (const input of inputs) await publishAll(connection, input, readings(60))
  const found = (await merged(connection, mergeOf(name, inputs), 300)).map(origin)
  assert.is(found.length, 300)
  assert.is(found.filter((from) => from.startsWith(`${one.name}:`)).length, 60, 'what came before stays')
  assert.is((await stepOf(connection, ...inputs, mergeOf(name, [two, three])))?.kind, 'unchanged')
})

test('an input that was deleted and made again is refused before anything runs, and said', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {}) as [StreamDeclaration, StreamDeclaration]
  const merge = mergeOf(pipelineName(), inputs)
  await apply(connection, ...inputs, merge)
  await connection.manager.streams.delete(inputs[0].name)
  await apply(connection, inputs[0])
  const error = await faultOf(apply(connection, ...inputs, merge))
  assert.is(error.code, 'STREAM_CHANGE_REFUSED')
  assert.match(error.detail, `${inputs[0].name} was deleted and made again`)
  const drift = await plan(connection, ...inputs, merge)
  assert.throws(() => requireNoDrift(drift), /STREAM_DRIFT|differs/)
})

test('what an operator noted stays; a stream of that name that is none of ours is refused', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {})
  const name = pipelineName()
  const merge = mergeOf(name, inputs)
  await apply(connection, ...inputs, merge)
  const { manager } = connection
  const { metadata } = (await manager.streams.info(merge.name)).config
  await manager.streams.update(merge.name, { metadata: { ...metadata, team: 'fraud' } })
  await apply(connection, ...inputs, mergeOf(name, inputs, BOTH))
  assert.is((await manager.streams.info(merge.name)).config.metadata?.['team'], 'fraud')
  const other = mergeOf(pipelineName(), inputs)
  await manager.streams.add({ name: other.name, subjects: [`foreign.${other.name}`] })
  const step = await stepOf(connection, ...inputs, other)
  assert.match(step?.kind === 'refused' ? step.reason : '', /not filled from others/)
})

test('nobody can publish into it', async () => {
  const connection = await sharedConnection()
  const inputs = declareInputs({}, {})
  const merge = mergeOf(pipelineName(), inputs)
  await apply(connection, ...inputs, merge)
  const subject = `millrace.${merge.name}.${inputs[0]?.name}.1.reading.taken`
  assert.is((await faultOf(publishTo(connection, subject))).code, 'NO_STREAM_FOR_SUBJECT')
})

async function publishTo(connection: Connection, subject: string): Promise<void> {
  const { publishOnce } = await import('../../src/broker/publish-once.ts')
  await publishOnce(connection, { subject, headers: [], data: new Uint8Array(0) })
}

test.run()
