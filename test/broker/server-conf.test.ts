import { spawnSync } from 'node:child_process'
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock as clock } from '../../src/time/system-clock.ts'
import { CONF, confEnvironment, PASSWORD, startFromConf } from '../support/conf-server.ts'
import { eventually } from '../support/broker.ts'
import { freePorts } from '../support/free-ports.ts'
import { testBinary } from '../support/nats.ts'

const test = suite('nats-server.conf')

const STREAM = { name: 'PAYMENTS', subjects: ['payments.*.>', 'millrace.PAYMENTS.>'], allow_direct: true }
const DEAD = { name: 'DEAD_LETTERS', subjects: ['millrace.dead.>'] }

async function check(env: Readonly<Record<string, string>>): Promise<{ code: number | null; output: string }> {
  const { path } = await testBinary()
  const { status, stdout, stderr } = spawnSync(path, ['-t', '-c', CONF], { env: { ...env }, encoding: 'utf8' })
  return { code: status, output: stdout + stderr }
}

function as(user: string, servers: string | string[]): Promise<NatsConnection> {
  return connect({ servers, user, pass: PASSWORD, timeout: 20_000 })
}

/** Whether the user may send to the subject; an answer of the server, whatever it says, means yes. */
async function may(connection: NatsConnection, subject: string): Promise<boolean> {
  const answer = await connection.request(subject, '', { timeout: 20_000 }).catch((error: Error) => error.message)
  if (typeof answer !== 'string') return true
  if (/permissions violation/i.test(answer)) return false
  throw new Error(`${subject}: ${answer}`)
}

test('passes the server’s own check', async () => {
  const { code, output } = await check(await confEnvironment())
  assert.is(code, 0, output)
})

test('a variable that is not set is refused, and named', async () => {
  const whole = await confEnvironment()
  for (const name of Object.keys(whole)) {
    const { [name]: _, ...env } = whole
    const { code, output } = await check(env)
    assert.is(code, 1, `${name} has no effect`)
    assert.match(output, name)
  }
})

test('each user may do its own work and no more', async () => {
  const node = await startFromConf(await confEnvironment())
  await node.ready()
  const admin = await as('admin', node.url)
  const manager = await jetstreamManager(admin)
  await manager.streams.add(STREAM)
  await manager.streams.add(DEAD)
  const event = 'payments.card-1.payment.authorized'
  const commit = 'millrace.PAYMENTS.commit.velocity.0'
  const dead = 'millrace.dead.PAYMENTS.1.velocity'
  const read = '$JS.API.STREAM.INFO.PAYMENTS'
  const remove = [
    '$JS.API.STREAM.PURGE.PAYMENTS',
    '$JS.API.STREAM.MSG.DELETE.PAYMENTS',
    '$JS.API.STREAM.DELETE.PAYMENTS',
  ]
  const change = ['$JS.API.STREAM.CREATE.PAYMENTS', '$JS.API.STREAM.UPDATE.PAYMENTS']
  const consume = [
    '$JS.API.CONSUMER.CREATE.PAYMENTS.c',
    '$JS.API.CONSUMER.INFO.PAYMENTS.c',
    '$JS.API.CONSUMER.DELETE.PAYMENTS.c',
  ]
  const own = ['$JS.API.STREAM.CREATE.MILLRACE_OWNERSHIP', '$JS.API.STREAM.UPDATE.MILLRACE_OWNERSHIP']
  const takeOver = [consume[0]!, '$JS.API.CONSUMER.RESET.PAYMENTS.c', '$JS.API.CONSUMER.DELETE.PAYMENTS.c']
  const table: Record<string, { may: string[]; mayNot: string[] }> = {
    operator: {
      may: [event, commit, dead, read, ...consume, ...change, ...remove.slice(0, 2)],
      mayNot: ['$JS.API.STREAM.DELETE.PAYMENTS', '$JS.API.STREAM.RESTORE.PAYMENTS'],
    },
    runtime: { may: [event, commit, dead, read, ...consume, ...own], mayNot: [...remove, ...change] },
    publisher: { may: [event, read], mayNot: [commit, dead, 'millrace.x', ...takeOver, ...remove, ...change] },
    console: {
      may: [read, '$JS.API.STREAM.MSG.GET.PAYMENTS', '$JS.API.CONSUMER.LIST.PAYMENTS', '$JS.API.INFO'],
      mayNot: [event, commit, dead, ...takeOver, ...remove, ...change],
    },
    admin: { may: [read, ...change, ...consume, ...remove], mayNot: [event, commit, dead] },
  }
  for (const [user, { may: allowed, mayNot: denied }] of Object.entries(table)) {
    const connection = await as(user, node.url)
    for (const subject of denied) assert.not.ok(await may(connection, subject), `${user} may ${subject}`)
    for (const subject of allowed) assert.ok(await may(connection, subject), `${user} may not ${subject}`)
    await connection.close()
  }
  await admin.close()
})

test('no user comes in without a password, and the system account is apart', async () => {
  const node = await startFromConf(await confEnvironment())
  await node.ready()
  for (const options of [{}, { user: 'runtime', pass: 'wrong' }, { user: 'nobody', pass: PASSWORD }]) {
    const error = await connect({ servers: node.url, ...options, reconnect: false }).catch((reason: Error) => reason)
    assert.match(String(error), /authorization violation/i)
  }
  const sys = await as('sys', node.url)
  assert.ok(await may(sys, '$SYS.REQ.SERVER.PING'))
  await sys.close()
})

async function whenReplicated(manager: JetStreamManager, stream: string): Promise<number> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await clock.sleep(50)) {
    const { cluster } = await manager.streams.info(stream)
    const current = cluster?.replicas?.filter((replica) => replica.current && replica.offline !== true) ?? []
    if (cluster?.leader !== undefined && current.length === 2) return 1 + current.length
  }
  throw new Error(`${stream} has not all its replicas after 60 s`)
}

test('three nodes from the one file make a cluster that keeps a stream three times', async () => {
  const ports = await freePorts(3)
  const routes = ports.map((port) => `"nats://routes:${PASSWORD}@127.0.0.1:${port}"`)
  const nodes = await Promise.all(
    ports.map(async (port, at) =>
      startFromConf({
        ...(await confEnvironment()),
        NATS_SERVER_NAME: `node-${at + 1}`,
        NATS_CLUSTER_PORT: String(port),
        NATS_CLUSTER_ROUTES: `[${routes.join(', ')}]`,
      }),
    ),
  )
  await Promise.all(nodes.map((node) => node.ready()))
  const urls = nodes.map(({ url }) => url)
  const admin = await as('admin', urls)
  const manager = await jetstreamManager(admin)
  // the leader of the cluster may not have heard of both others yet
  const config = { ...STREAM, num_replicas: 3, allow_atomic: true }
  await eventually('three nodes take it', () => manager.streams.add(config).catch(() => undefined))
  assert.is(await whenReplicated(manager, 'PAYMENTS'), 3)

  const runtime = await as('runtime', urls)
  const batch = headers()
  batch.set('Nats-Batch-Id', 'b1')
  batch.set('Nats-Batch-Sequence', '1')
  batch.set('Nats-Batch-Commit', '1')
  // the node that it is connected to may not have heard yet who takes these subjects
  const stored = (n: number) =>
    jetstream(runtime)
      .publish(`payments.card-${n}.payment.authorized`, '', { msgID: `card-${n}` })
      .catch(() => undefined)
  const acks = [
    ...(await Promise.all([1, 2, 3].map((n) => eventually('it is taken', () => stored(n))))),
    (await runtime.request('millrace.PAYMENTS.commit.velocity.0', '', { headers: batch, timeout: 20_000 })).json<{
      seq: number
    }>(),
  ]
  assert.equal(acks.map(({ seq }) => seq).sort(), [1, 2, 3, 4])
  const { state, cluster } = await manager.streams.info('PAYMENTS')
  assert.is(state.messages, 4)
  assert.equal([cluster?.leader, ...(cluster?.replicas ?? []).map(({ name }) => name)].sort(), [
    'node-1',
    'node-2',
    'node-3',
  ])
  await Promise.all([admin.close(), runtime.close()])
})

test.run()
