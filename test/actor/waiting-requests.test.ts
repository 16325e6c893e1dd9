// Many who ask an owner that is behind, and how much they read meanwhile.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { request } from '../../src/actor/request.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { encodeCommitRecord } from '../../src/kernel/commit-record.ts'
import { freshRecord } from '../../src/kernel/fresh-record.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { accountHome, commandsIn, decide, senderOver } from './owner-stub.ts'
import { Deposit } from './sample-actors.ts'

const test = suite('requests that wait')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

type Home = Awaited<ReturnType<typeof accountHome>>

/** What the owner says of itself: how far it has come in one partition. */
async function comesTo(connection: Connection, { stream, records }: Home, partition: string, position: number) {
  const processor = { kind: 'actor', name: 'account', version: '1', from: { stream }, to: { stream }, memory: 'keyed' }
  const record = {
    ...freshRecord(processor as unknown as Processor, partition, 'now'),
    generation: 1,
    owner: 'test',
    position,
  }
  const subject = commitSubject(records.name, 'actor-account', partition)
  await publishOnce(connection, { subject, headers: [], data: encodeCommitRecord(record) })
}

/** Counts how often single messages of a stream are read by whoever. */
function readsOf(connection: Connection, stream: string): () => number {
  let count = 0
  connection.nats.subscribe(`$JS.API.STREAM.MSG.GET.${stream}`, { callback: () => void (count += 1) })
  return () => count
}

test('RQ5 RQ1 who waits for an owner that is behind does not read the log; when it has come so far, each finds its outcome', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const home = await accountHome(connection)
  await comesTo(connection, home, '0', 0)
  const reads = readsOf(connection, home.records.name)
  const sender = senderOver(connection)
  const asked = Array.from({ length: 60 }, (_, at) =>
    request(sender, home, Deposit({ accountId: `a${at}`, amount: 1 }), { timeout: '60s' }),
  )
  const commands = await eventually('all are stored', async () => {
    const stored = await commandsIn(connection, home)
    return stored.length === 60 ? stored : undefined
  })
  await pause(2_500) // two looks of each
  assert.is(reads(), 0)
  for (const command of commands) await decide(connection, home, command.key ?? '', 0, [{ command }])
  await comesTo(connection, home, '1', commands.at(-1)?.sequence ?? 0)
  const outcomes = await Promise.all(asked) // nobody has answered
  assert.equal(new Set(outcomes.map(({ commandId }) => commandId)), new Set(commands.map(({ id }) => id)))
  sender.close()
})

test('RQ5 RQ2 the last look before the time is over is made wherever the owner is', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const home = await accountHome(connection)
  await comesTo(connection, home, '0', 0)
  const clock = new VirtualClock()
  const sender = senderOver(connection, clock)
  const asked = request(sender, home, Deposit({ accountId: 'a', amount: 1 }), { timeout: 4_000 })
  asked.catch(() => undefined) // heard below
  const [command] = await eventually('it is stored', async () => {
    const stored = await commandsIn(connection, home)
    return stored.length > 0 ? stored : undefined
  })
  await decide(connection, home, 'a', 0, command === undefined ? [] : [{ command }])
  await connection.nats.flush() // the receipt of the command has come
  let found: string | undefined
  const outcome = asked.then(({ commandId }) => (found = commandId))
  await clock.pass(2_900)
  assert.is(
    await Promise.race([outcome, pause(300).then(() => undefined)]),
    undefined,
    'it looks before its time is nearly over',
  )
  // it looks at 3,000 ms, and once more at 3,750
  for (let ms = 3_000; ms < 4_000; ms += 100) {
    await clock.pass(100)
    if ((await Promise.race([outcome, pause(300)])) !== undefined) break
  }
  await eventually('it is found', () => found)
  assert.is(found, command?.id)
  sender.close()
})

test.run()
