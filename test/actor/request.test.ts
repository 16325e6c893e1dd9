// Asking from outside, against an owner that the test plays.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { outcomeInboxOf } from '../../src/actor/outcome-inbox.ts'
import type { Outcome } from '../../src/actor/outcome.ts'
import type { CommandDraft } from '../../src/actor/define-command.ts'
import { request } from '../../src/actor/request.ts'
import { tell } from '../../src/actor/tell.ts'
import type { Connection, ConnectionStatus } from '../../src/broker/connection.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import type { ActorHome } from '../../src/actor/command-sender.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { ownServer } from '../support/nats.ts'
import { inTime } from '../support/in-time.ts'
import { account, Deposit, Deposited, Withdraw } from './sample-actors.ts'
import { createActorClient } from '../../src/actor/actor-client.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { accountHome, answer, commandsIn, decide, rejects, senderOver } from './owner-stub.ts'

const test = suite('request')

const deposit = (
  accountId: string,
  amount = 5,
): CommandDraft<'account.deposit', { accountId: string; amount: number }> => Deposit({ accountId, amount })
const deposited = (accountId: string, amount = 5): EventDraft => Deposited({ accountId, amount })

function firstCommand(connection: Connection, home: ActorHome, after = 0): Promise<StoredEvent> {
  return eventually('a command is stored', async () => (await commandsIn(connection, home))[after])
}

const accepted = (command: StoredEvent, id: string, version: number): Outcome => ({
  kind: 'accepted',
  commandId: command.id,
  id,
  version,
  events: [{ id: `account:${id}:${version}`, type: 'account.deposited' }],
})

async function unknown(pending: Promise<unknown>): Promise<string> {
  try {
    await pending
  } catch (error) {
    assert.ok(isFault(error, 'COMMAND_OUTCOME_UNKNOWN'), String(error))
    return isFault(error) ? error.detail : ''
  }
  throw new Error('it has an outcome')
}

test('RQ2 the answer of the owner is the outcome; what is for others, or no outcome, is passed over', async () => {
  const connection = await sharedConnection()
  await inTime(900, 'it does not wait for a look into the log', async () => {
    const home = await accountHome(connection)
    const asked = request(senderOver(connection), home, deposit('a b'))
    const command = await firstCommand(connection, home)
    assert.is(command.key, 'a b')
    answer(connection, command, accepted({ ...command, id: 'another' }, 'a b', 9))
    answer(connection, command, accepted(command, 'another', 9))
    connection.nats.publish(String(command.attributes['replyto']), 'nonsense')
    answer(connection, command, accepted(command, 'a b', 1))
    assert.equal(await asked, accepted(command, 'a b', 1))
  })
})

test('RQ1 an outcome whose answer is lost is found in the log', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const sender = senderOver(connection)
  const asked = request(sender, home, deposit('a'), { timeout: '60s' })
  const other = request(sender, home, Withdraw({ accountId: 'b', amount: 7 }), { timeout: '60s' })
  const one = await firstCommand(connection, home)
  const two = await firstCommand(connection, home, 1)
  const x = { code: 'insufficient-funds', message: 'there is 0', data: { balance: 0 } }
  const [a, b] = one.key === 'a' ? [one, two] : [two, one]
  const sequence = await decide(connection, home, 'a', 3, [{ command: a, events: [deposited('a')] }])
  const later = await decide(connection, home, 'b', 0, [{ command: b, rejected: x }])
  assert.equal(await asked, { ...accepted(a, 'a', 4), sequence })
  assert.equal(await other, { kind: 'rejected', commandId: b.id, id: 'b', version: 0, sequence: later, ...x })
})

test('RQ1 the outcome of one command is told apart from others in its record, which may take several messages', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const ids = ['c1', 'c2', 'c3']
  const sender = senderOver(connection)
  const asked = ids.map((id) => request(sender, home, deposit('a'), { id, timeout: '60s' }))
  const commands = await eventually('three commands', async () => {
    const stored = await commandsIn(connection, home)
    return stored.length === 3 ? ids.map((id) => stored.find((one) => one.id === id) as StoredEvent) : undefined
  })
  const decided = commands.map((command, at) => ({
    command,
    events: at === 1 ? Array.from({ length: 20 }, () => deposited('a')) : [deposited('a')],
  }))
  await decide(connection, home, 'a', 0, decided, 3_000)
  const outcomes = await Promise.all(asked)
  assert.equal(
    outcomes.map((outcome) => outcome.kind === 'accepted' && [outcome.version, outcome.events.length]),
    [
      [1, 1],
      [21, 20],
      [22, 1],
    ],
  )
  const [, second] = outcomes
  assert.is(second?.kind === 'accepted' ? second.events[0]?.id : '', 'account:a:2')
  assert.is(second?.kind === 'accepted' ? second.events[19]?.id : '', 'account:a:21')
})

test('RQ1 who asks again with the same id has no further effect and finds the same outcome', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const told = await tell(senderOver(connection), home, deposit('a'), { id: 'c1' })
  await decide(connection, home, 'a', 0, [{ command: { id: 'c1', sequence: told.sequence }, events: [deposited('a')] }])
  await inTime(900, 'at once', async () => {
    const outcome = await request(senderOver(connection), home, deposit('a'), { id: 'c1' })
    assert.is(outcome.kind, 'accepted')
  })
  assert.is((await commandsIn(connection, home)).length, 1)
})

test('RQ2 a time-out says that the outcome is not known, and how to ask again; asking again finds it', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const client = createActorClient({ connection, clock: systemClock, newId: systemId, homes: [home] })
  const accounts = client.actor(account)
  let detail = ''
  // on a busy machine the time may be over before the server has confirmed that the command is stored
  for (let timeout = 100; timeout <= 10_000 && !detail.includes('sequence'); timeout *= 10)
    detail = await unknown(accounts.request(deposit('a'), { id: 'c1', timeout }))
  assert.match(detail, /command c1 for account "a".*stored at sequence 1 of .*_COMMANDS.*outcome\("a", "c1"\)/)
  assert.is(await accounts.outcome('a', 'c1'), undefined)
  const sequence = await decide(connection, home, 'a', 0, [
    { command: { id: 'c1', sequence: 1 }, events: [deposited('a')] },
  ])
  const expected = { ...accepted({ id: 'c1' } as StoredEvent, 'a', 1), sequence }
  assert.equal(await accounts.outcome('a', 'c1'), expected)
  assert.equal(await accounts.outcome('a', 'c1', { sequence: 1 }), expected)
  assert.is(await accounts.outcome('b', 'c1'), undefined)
  client.close()
})

test('RQ1 a command that came when the stream had forgotten it already finds what it did long ago', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const sender = senderOver(connection)
  // the record is there before the command: as after a window of two minutes
  await decide(connection, home, 'a', 0, [{ command: { id: 'c1', sequence: 0 }, events: [deposited('a')] }])
  const outcome = await request(sender, home, deposit('a'), { id: 'c1', timeout: '60s' })
  assert.is(outcome.kind, 'accepted')
})

test('RQ1 requests outlive a server that is killed and comes back, and so do their outcomes', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const home = await accountHome(connection)
  const asked = request(senderOver(connection), home, deposit('a'), { timeout: '60s' })
  const command = await firstCommand(connection, home)
  await decide(connection, home, 'a', 0, [{ command, events: [deposited('a')] }])
  await server.kill()
  // a command that is sent into the void waits for the server
  const late = request(senderOver(connection), home, deposit('b'), { timeout: '60s' })
  await server.restart()
  assert.is((await asked).kind, 'accepted')
  const other = await firstCommand(connection, home, 1)
  await decide(connection, home, 'b', 0, [{ command: other, events: [deposited('b')] }])
  assert.is((await late).kind, 'accepted')
  await connection.close()
})

test('RQ3 nothing is left when a request ends: with an answer, a time-out, an abort, or a refusal', async () => {
  const shared = await sharedConnection()
  const home = await accountHome(shared)
  const listeners = new Set<unknown>()
  const connection: Connection = {
    ...shared,
    get state() {
      return shared.state
    },
    newInbox: () => shared.newInbox(),
    onStatus: (listener: (status: ConnectionStatus) => void) => {
      listeners.add(listener)
      const stop = shared.onStatus(listener)
      return () => {
        listeners.delete(listener)
        stop()
      }
    },
  }
  const timers = new Set<unknown>()
  const clock: Clock = {
    ...systemClock,
    after: (ms, fn) => {
      const timer = {}
      timers.add(timer)
      const cancel = systemClock.after(ms, () => (timers.delete(timer), fn()))
      return () => (timers.delete(timer), cancel())
    },
    sleep: (ms, signal) => {
      const timer = {}
      timers.add(timer)
      return systemClock.sleep(ms, signal).finally(() => timers.delete(timer))
    },
  }
  const sender = senderOver(connection, clock)
  await tell(sender, home, deposit('first')) // the publisher has a listener of its own
  const own = listeners.size
  const inbox = outcomeInboxOf(connection)
  const abort = new AbortController()
  // what is left of one of these would be there for minutes
  const aborted = request(sender, home, deposit('a'), { signal: abort.signal, timeout: '10m' })
  const answered = request(sender, home, deposit('b'), { timeout: '10m' })
  const timedOut = unknown(request(sender, home, deposit('c'), { timeout: 300 }))
  const nowhere = { ...home, commands: { ...home.commands, root: 'nowhere' } }
  const refused = rejects(request(sender, nowhere, deposit('d')), (error) => isFault(error, 'NO_STREAM_FOR_SUBJECT'))
  const command = await eventually('stored', async () =>
    (await commandsIn(shared, home)).find(({ key }) => key === 'b'),
  )
  answer(shared, command, accepted(command, 'b', 1))
  assert.is((await answered).kind, 'accepted')
  abort.abort(new Error('enough'))
  await rejects(aborted, /enough/)
  await timedOut
  await refused
  // a look that was begun ends with its answer; one that goes on and on has a timer again in a moment
  await eventually('the last look has ended', () => timers.size === 0 && listeners.size === own)
  await systemClock.sleep(50)
  assert.equal([inbox.waiting, listeners.size, timers.size], [0, own, 0])
  await rejects(request(sender, home, deposit('e'), { signal: abort.signal }), /enough/)
  assert.is((await commandsIn(shared, home)).filter(({ key }) => key === 'e').length, 0)
  sender.close()
  assert.is(listeners.size, 0)
})

test.run()
