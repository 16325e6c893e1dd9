import { DiscardPolicy } from '@nats-io/jetstream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { linkTo } from '../support/link.ts'
import { ownServer, sharedServer } from '../support/nats.ts'
import { faultOf } from '../support/numbered.ts'
import { textOf } from './messages.ts'
import { committing, made, storedRecord, textsOf, turns } from './committing.ts'

const test = suite('a committer')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('C1 C2 a server that is killed while commits run has each output once, in order, and the position of the last', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const { committer, committed, failures } = await committing(connection, stream, 'one')
  const all = turns(stream, 3_000)
  let added = 0
  const adding = setInterval(() => committer.add(all.slice(added, (added += 30))), 10)
  for (let kill = 0; kill < 4; kill++) {
    await pause(60 + Math.random() * 120)
    await server.kill()
    await server.restart()
    const before = committed.length
    await eventually('commits go on', () => committed.length > before || failures.length > 0 || added >= all.length)
  }
  await eventually('everything added', () => added >= all.length)
  clearInterval(adding)
  await committer.flush(false)
  assert.equal(failures, [])
  assert.equal(
    committed,
    all.map(({ sequence }) => sequence),
  )
  assert.equal(await made(connection, stream), textsOf(all))
  const record = await storedRecord(connection, stream)
  assert.equal([record?.position, record?.outputs, record?.turns], [3_000, 6_000, 3_000])
})

test('C2 a commit that was stored and whose receipt was lost is known as ours, and not stored again', async () => {
  const direct = await sharedConnection()
  const stream = await freshStream(direct)
  const link = await linkTo((await sharedServer()).url)
  const { committer, committed, failures } = await committing(await connectTo(link.url), stream, 'one')
  const all = turns(stream, 60)
  for (let round = 0; round < 3; round++) {
    const part = all.slice(round * 20, (round + 1) * 20)
    const until = (round + 1) * 20
    link.deafen()
    committer.add(part)
    await eventually('stored', async () => (await storedRecord(direct, stream))?.position === until)
    assert.is(committed.length, until - 20, 'nobody has told the committer')
    link.cut()
    await eventually('recognised', () => committed.length === until || failures.length > 0)
  }
  assert.equal(failures, [])
  assert.equal(await made(direct, stream), textsOf(all))
})

test('C2 a server that answers only after the commit has timed out has it once', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const { committer, failures } = await committing(connection, stream, 'one')
  const all = turns(stream, 40)
  committer.add(all.slice(0, 10))
  await committer.flush(false)
  server.pause()
  committer.add(all.slice(10, 20))
  await pause(5_300) // a commit waits for its receipt for 5 s
  committer.add(all.slice(20))
  server.resume()
  await committer.flush(false)
  assert.equal(failures, [])
  assert.equal(await made(connection, stream), textsOf(all))
})

test('C1 C2 C3 a claim while a commit is on its way has all of it or nothing of it', async () => {
  const server = await ownServer()
  const [connection, other] = [await connectTo(server.url), await connectTo(server.url)]
  const stream = await freshStream(connection)
  const all = turns(stream, 200)
  let owner = await committing(connection, stream, 'owner-0')
  let position = 0
  const outcomes = new Set<string>()
  for (let round = 1; round <= 12; round++) {
    // the batch of the one and the claim of the other wait side by side in the sockets of the paused server
    const waiting = all.slice(position, position + 10)
    server.pause()
    const late = round % 2 === 0 ? committing(other, stream, `owner-${round}`) : undefined
    if (late !== undefined) await pause(5)
    owner.committer.add(waiting)
    if (late === undefined) await pause(5)
    const heir = late ?? committing(other, stream, `owner-${round}`)
    await pause(20)
    server.resume()
    const former = owner
    owner = await heir
    position = owner.committer.record.position
    assert.equal(await made(connection, stream), textsOf(all.slice(0, position)))
    outcomes.add(position === waiting.at(-1)?.sequence ? 'before the claim' : 'refused')
    former.committer.add(all.slice(position, position + 1))
    await eventually('the former owner is fenced', () => former.failures.length > 0)
    assert.equal(
      former.failures.map(({ code }) => code),
      ['PROCESSOR_FENCED'],
    )
  }
  owner.committer.add(all.slice(position))
  await owner.committer.flush(false)
  assert.equal(await made(connection, stream), textsOf(all))
  assert.ok(outcomes.size > 0)
})

test('C3 a former owner that was cut off finds out when it is back, with all it has in hand', async () => {
  const direct = await sharedConnection()
  const stream = await freshStream(direct)
  const link = await linkTo((await sharedServer()).url)
  const former = await committing(await connectTo(link.url), stream, 'former')
  link.close()
  former.committer.add(turns(stream, 30))
  const heir = await committing(direct, stream, 'heir')
  heir.committer.add(turns(stream, 30))
  await heir.committer.flush(false)
  link.open()
  await eventually('fenced', () => former.failures.length > 0)
  assert.is(former.failures[0]?.code, 'PROCESSOR_FENCED')
  assert.match(former.failures[0]?.detail ?? '', 'by heir, generation 2')
  assert.is((await faultOf(former.committer.verify())).code, 'PROCESSOR_FENCED')
  assert.is((await faultOf(former.committer.flush(false))).code, 'PROCESSOR_FENCED')
  await heir.committer.verify()
  assert.equal(await made(direct, stream), textsOf(turns(stream, 30)))
})

async function setLimits(connection: Connection, stream: string, max_msgs: number): Promise<void> {
  await connection.manager.streams.update(stream, { max_msgs, discard: DiscardPolicy.New })
}

test('C4 the position waits before a message whose dead letter cannot be stored, and goes on when it can', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const first = await committing(connection, stream, 'one')
  const reason = { processor: 'contract', code: 'EVENT_DATA_INVALID', detail: 'no number', issues: [] }
  const dead = (from: number) => turns(stream, 1, from, 0, { deadLetters: [reason] })
  first.committer.add(dead(0))
  await first.committer.flush(false)
  await setLimits(connection, 'DEAD_LETTERS', 1)
  first.committer.add([...turns(stream, 1, 1), ...dead(2), ...turns(stream, 5, 3)])
  await pause(700)
  assert.is((await storedRecord(connection, stream))?.position, 1)
  assert.equal(await made(connection, stream), [], 'nor are outputs of the same commit stored')
  await setLimits(connection, 'DEAD_LETTERS', -1)
  await first.committer.flush(false)
  assert.equal(first.failures, [])
  assert.is((await storedRecord(connection, stream))?.position, 8)
  assert.is((await storedRecord(connection, stream))?.deadLetters, 2)
  // whoever meets the message again, after a crash between the two writes, adds no second one
  const second = await committing(connection, stream, 'two')
  second.committer.add(dead(2))
  await second.committer.flush(false)
  const letters = await readAll(connection, 'DEAD_LETTERS')
  assert.equal(
    letters.map(({ headers }) => headers.get('Millrace-Dead-Sequence')),
    ['1', '3'],
  )
})

/** The connection, with an eye on how many requests to a subject are under way. */
function watched(
  connection: Connection,
  subject: string,
): { connection: Connection; most: () => number; count: () => number } {
  let now = 0
  let most = 0
  let count = 0
  const nats = new Proxy(connection.nats, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'request') return value.bind(target)
      return (to: string, ...rest: unknown[]): Promise<unknown> => {
        const reply = value.call(target, to, ...rest) as Promise<unknown>
        if (to !== subject) return reply
        count += 1
        most = Math.max(most, (now += 1))
        return reply.finally(() => (now -= 1))
      }
    },
  })
  const seen = Object.create(connection, { nats: { value: nats } }) as Connection
  return { connection: seen, most: () => most, count: () => count }
}

test('C5 one commit is under way at a time, and what is added meanwhile goes into the next', async () => {
  const direct = await sharedConnection()
  const stream = await freshStream(direct)
  const eye = watched(direct, `millrace.${stream.name}.commit.pipeline-p.all`)
  const { committer, committed } = await committing(eye.connection, stream, 'one')
  const claims = eye.count()
  const all = turns(stream, 4_000)
  for (let at = 0; at < all.length; at += 10) {
    committer.add(all.slice(at, at + 10))
    if (at % 200 === 0) await pause(1)
  }
  await committer.flush(false)
  assert.is(committed.length, 4_000)
  assert.is(eye.most(), 1)
  const commits = eye.count() - claims
  assert.ok(commits > 3 && commits < 200, `${commits} commits for 400 additions`)
  assert.equal(await made(direct, stream), textsOf(all))
})

test('C1 C2 a full output stream holds the commit back, whole, until there is room', async () => {
  const server = await ownServer({ config: 'jetstream { max_file_store: 4MB, max_memory_store: 1MB }' })
  const connection = await connectTo(server.url)
  const stream = await freshStream(connection)
  const { committer, failures } = await committing(connection, stream, 'one')
  const { streams } = connection.manager
  await streams.add({ name: 'BALLAST', subjects: ['ballast'] })
  const ballast = { subject: 'ballast', headers: [], data: Buffer.alloc(300_000) }
  const full = async (): Promise<boolean> =>
    publishOnce(connection, ballast).then(
      () => false,
      (error: unknown) => isFault(error, 'STREAM_FULL'),
    )
  while (!(await full()));
  const wide = (text: string): Buffer => Buffer.from(text.padEnd(100_000))
  const all = turns(stream, 5, 0, 2).map((turn) => ({
    ...turn,
    outputs: turn.outputs.map((output) => ({ ...output, data: wide(textOf(output)) })),
  }))
  committer.add(all)
  await pause(600)
  assert.equal(await made(connection, stream), [])
  assert.is((await storedRecord(connection, stream))?.position, 0)
  await streams.delete('BALLAST')
  await committer.flush(false)
  assert.equal(failures, [])
  assert.equal(await made(connection, stream), textsOf(all))
})

test('a flush asks for a snapshot once, and not again while nothing was added', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { committer } = await committing(connection, stream, 'one', () => ({ seen: 5 }))
  committer.add(turns(stream, 5))
  await committer.flush(true)
  assert.equal(committer.record.snapshot?.position, 5)
  const last = await connection.manager.streams.info(stream.name)
  await committer.flush(true)
  assert.is((await connection.manager.streams.info(stream.name)).state.last_seq, last.state.last_seq)
})

test('a flush that cannot store what is left rejects with the cause', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { committer, failures } = await committing(connection, stream, 'one')
  const [huge] = turns(stream, 1, 0, 1)
  const outputs = huge?.outputs.map((output) => ({ ...output, data: Buffer.alloc(2 * 1024 * 1024) })) ?? []
  committer.add(turns(stream, 1, 0, 1, { outputs }))
  const error = await faultOf(committer.flush(false))
  assert.ok(isFault(error, 'MESSAGE_TOO_LARGE'), error.message)
  assert.is(failures[0]?.code, 'MESSAGE_TOO_LARGE')
  assert.is((await storedRecord(connection, stream))?.position, 0)
})

test('C5 C3 a mark and a commit that meet in the same moment follow each other, and nobody is fenced', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { committer, committed, failures } = await committing(connection, stream, 'one')
  const all = turns(stream, 12)
  for (const [moment, turn] of all.entries()) {
    await pause(15) // so that what is added is committed at once
    const marked = committer.mark({ sequence: turn.sequence, count: 1, tries: 1 })
    for (let microtask = 0; microtask < moment; microtask++) await undefined
    committer.add([turn])
    await marked
    await committer.flush(false)
  }
  assert.equal(failures, [])
  assert.is(committed.length, all.length)
  assert.equal(await made(connection, stream), textsOf(all))
})

test.run()
