import type { StreamConfig } from '@nats-io/jetstream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams, requireNoDrift } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { defineStream, type StreamDeclaration, type StreamOptions } from '../../src/broker/define-stream.ts'
import { compare, planStreams, type PlanStep } from '../../src/broker/plan-streams.ts'
import { streamConfig } from '../../src/broker/stream-config.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { connectTo, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { faultOf } from '../support/numbered.ts'

const test = suite('streams as declared')

let serial = 0

function declare(options: Partial<StreamOptions> = {}): StreamDeclaration {
  const id = `s${process.pid}-${(serial += 1)}`
  return defineStream({ name: id.toUpperCase(), root: id, partitions: 4, ...options })
}

/** The same stream, declared with other options. */
function redeclare({ name, root }: StreamDeclaration, options: Partial<StreamOptions>): StreamDeclaration {
  return declare({ name, root, ...options })
}

async function plan(...streams: StreamDeclaration[]): Promise<PlanStep[]> {
  return planStreams(await sharedConnection(), streams)
}

async function stepOf(stream: StreamDeclaration): Promise<PlanStep> {
  return (await plan(stream)).find((step) => step.stream === stream.name) as PlanStep
}

async function apply(...streams: StreamDeclaration[]): Promise<void> {
  await applyStreams(await sharedConnection(), await plan(...streams))
}

async function deployed({ name }: StreamDeclaration): Promise<StreamConfig> {
  return (await (await sharedConnection()).manager.streams.info(name)).config
}

function invalid(options: Partial<StreamOptions>): MillraceError {
  try {
    declare(options)
  } catch (error) {
    return error as MillraceError
  }
  throw new Error(`accepted ${JSON.stringify(options)}`)
}

test('a new stream is created as declared, and then nothing is left to do', async () => {
  const stream = declare({ description: 'one', retention: { maxAge: '2d', maxBytes: 1_000_000 }, partitions: 7 })
  assert.is((await stepOf(stream)).kind, 'create')
  await apply(stream)
  assert.is((await stepOf(stream)).kind, 'unchanged')
  const config = await deployed(stream)
  assert.is(config.max_age, 2 * 86_400 * 1e9)
  assert.is(config.subject_transform?.dest, `${stream.root}.{{partition(7,1)}}.>`)
  assert.is(config.allow_atomic, true)
  requireNoDrift(await plan(stream))
  await apply(stream)
})

test('the stream of dead letters belongs to every deployment', async () => {
  await apply(declare())
  const step = (await plan(declare())).find(({ stream }) => stream === 'DEAD_LETTERS')
  assert.is(step?.kind, 'unchanged')
})

test('the smallest and the plainest declarations stay without drift', async () => {
  for (const options of [{}, { storage: 'memory' }, { partitions: 1 }, { retention: { maxAge: '1s' } }] as const) {
    const stream = declare(options)
    await apply(stream)
    assert.is((await stepOf(stream)).kind, 'unchanged', JSON.stringify(options))
  }
})

test('changed retention, window and description are an update that says what changes', async () => {
  const stream = declare({ retention: { maxAge: '1d' } })
  await apply(stream)
  const changed = redeclare(stream, {
    description: 'other',
    retention: { maxAge: '2d', maxBytes: 5_000_000 },
    duplicateWindow: '1m',
  })
  const step = await stepOf(changed)
  assert.is(step.kind, 'update')
  assert.equal(step.kind === 'update' && step.changes.map(({ setting }) => setting).sort(), [
    'description',
    'duplicate_window',
    'max_age',
    'max_bytes',
  ])
  await apply(changed)
  assert.is((await stepOf(changed)).kind, 'unchanged')
  assert.is((await deployed(stream)).max_bytes, 5_000_000)
})

test('a change by somebody else is drift, named in the error, and apply undoes it', async () => {
  const stream = declare()
  await apply(stream)
  const { manager } = await sharedConnection()
  await manager.streams.update(stream.name, { max_age: 60e9, duplicate_window: 60e9 })
  const steps = await plan(stream)
  assert.throws(
    () => requireNoDrift(steps),
    (error: MillraceError) => error.code === 'STREAM_DRIFT' && /max_age, duplicate_window/.test(error.detail),
  )
  await apply(stream)
  requireNoDrift(await plan(stream))
})

test('a stream that is not there is drift too', async () => {
  const stream = declare()
  const steps = await plan(stream)
  assert.throws(
    () => requireNoDrift(steps),
    (error: MillraceError) => error.code === 'STREAM_DRIFT' && error.detail.includes(`${stream.name} does not exist`),
  )
})

test('what cannot be changed in place is refused, with the reason, and nothing at all is changed', async () => {
  const stream = declare()
  const other = declare()
  await apply(stream)
  const before = await deployed(stream)
  for (const [options, setting] of [
    [{ partitions: 8, description: 'changed' }, 'subject_transform'],
    [{ storage: 'memory', description: 'changed' }, 'storage'],
    [{ root: `${stream.root}x`, description: 'changed' }, 'subject_transform'],
  ] as const) {
    const error = await faultOf(apply(other, redeclare(stream, options)))
    assert.is(error.code, 'STREAM_CHANGE_REFUSED')
    assert.match(error.detail, stream.name)
    assert.match(error.detail, setting)
  }
  assert.equal(await deployed(stream), before)
  assert.is((await stepOf(other)).kind, 'create')
})

test('settings of others are left alone: they are no drift, and an update keeps them', async () => {
  const stream = declare()
  await apply(stream)
  const { manager } = await sharedConnection()
  const metadata = { ...(await deployed(stream)).metadata, team: 'payments' }
  await manager.streams.update(stream.name, { max_msgs_per_subject: 1_000, metadata })
  assert.is((await stepOf(stream)).kind, 'unchanged')
  await apply(redeclare(stream, { description: 'changed' }))
  const config = await deployed(stream)
  assert.is(config.max_msgs_per_subject, 1_000)
  assert.is(config.metadata?.['team'], 'payments')
  assert.is(config.description, 'changed')
})

test('subjects that another stream takes are refused in the plan, which says whose they are', async () => {
  const stream = declare()
  const { manager } = await sharedConnection()
  const foreign = `FOREIGN-${process.pid}`
  await manager.streams.add({ name: foreign, subjects: [`${stream.root}.special.>`] })
  const step = await stepOf(stream)
  assert.is(step.kind, 'refused')
  const error = await faultOf(apply(stream))
  assert.is(error.code, 'STREAM_CHANGE_REFUSED')
  assert.match(error.detail, foreign)
  await manager.streams.delete(foreign)
  await apply(stream)
})

test('a stream that comes between plan and apply is a code, not an accident', async () => {
  const stream = declare()
  const connection = await sharedConnection()
  const steps = await plan(stream)
  await connection.manager.streams.add({ name: `LATE-${process.pid}`, subjects: [`${stream.root}.a.>`] })
  const error = await faultOf(applyStreams(connection, steps))
  assert.is(error.code, 'STREAM_CHANGE_REFUSED')
  assert.match(error.detail, '10065')
})

test('two declarations may not share a name or a root', async () => {
  const one = declare()
  for (const two of [declare({ name: one.name }), declare({ root: one.root })])
    assert.is((await faultOf(plan(one, two))).code, 'STREAM_INVALID')
})

test('flags that a server takes and leaves out are noticed', async () => {
  const stream = declare()
  for (const flag of ['allow_atomic', 'allow_msg_ttl', 'allow_msg_schedules', 'allow_direct'] as const) {
    const echo = async (config: object) => ({ config: { ...config, [flag]: undefined } })
    const old = { manager: { streams: { add: echo, update: (_: string, c: object) => echo(c) } } }
    for (const kind of ['create', 'update'] as const) {
      const step = { kind, stream: stream.name, config: streamConfig(stream), changes: [] }
      const error = await faultOf(applyStreams(old as unknown as Connection, [step]))
      assert.is(error.code, 'STREAM_FLAGS_DROPPED')
      assert.match(error.detail, flag)
    }
  }
})

test('a flag that an operator took away is drift', () => {
  const config = streamConfig(declare())
  const step = compare(config, { ...config, allow_atomic: false } as unknown as StreamConfig)
  assert.equal(step.kind === 'update' && step.changes, [{ setting: 'allow_atomic', deployed: false, declared: true }])
})

test('declarations that no server takes are refused when they are made', () => {
  for (const options of [
    { name: 'a.b' },
    { name: '' },
    { root: 'a.b' },
    { root: 'Upper' },
    { root: 'millrace' },
    { partitions: 0 },
    { partitions: 1.5 },
    { partitions: 2_000 },
    { replicas: 2 },
    { retention: { maxBytes: 0 } },
    { retention: { maxBytes: 1.5 } },
    { retention: { maxBytes: Number.NaN } },
    { retention: { maxAge: 10 } },
    { retention: { maxAge: '1m' }, duplicateWindow: '2m' },
    { duplicateWindow: 0 },
  ])
    assert.is(invalid(options).code, 'STREAM_INVALID', JSON.stringify(options))
})

test('more replicas than there are servers is a code with the words of the server', async () => {
  const error = await faultOf(apply(declare({ replicas: 3 })))
  assert.is(error.code, 'BROKER_REFUSED')
  assert.match(error.detail, 'replicas')
})

test('a connection that is closed is a code', async () => {
  const connection = await connectTo((await sharedServer()).url)
  await connection.close()
  assert.is((await faultOf(planStreams(connection, [declare()]))).code, 'BROKER_UNREACHABLE')
})

test.run()
