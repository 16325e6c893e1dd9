import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorClient } from '../../src/actor/actor-client.ts'
import type { CommandDraft } from '../../src/actor/define-command.ts'
import { tell } from '../../src/actor/tell.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, sharedConnection } from '../support/broker.ts'
import { ownServer } from '../support/nats.ts'
import { accountHome, commandsIn, rejects, senderOver } from './owner-stub.ts'
import { account, Deposit, order, PlaceOrder } from './sample-actors.ts'

const test = suite('tell')

const deposit = (accountId: string): CommandDraft<'account.deposit', { accountId: string; amount: number }> =>
  Deposit({ accountId, amount: 5 })

test('a command that is told is stored, with its id, its aggregate and its conversation', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const draft = Deposit({ accountId: 'a.b c', amount: 5 }, { correlationId: 'talk-1' })
  const told = await tell(senderOver(connection), home, draft, { id: 'c 1' })
  assert.equal(told, { commandId: 'c 1', sequence: 1, duplicate: false })
  const [command] = await commandsIn(connection, home)
  assert.is(command?.id, 'c 1')
  assert.is(command?.key, 'a.b c')
  assert.is(command?.correlationId, 'talk-1')
  assert.equal(command?.data, { accountId: 'a.b c', amount: 5 })
  assert.equal(command?.attributes, {})
})

test('TL1 a command is told once, however often and by whomever it is repeated', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const first = await tell(senderOver(connection), home, deposit('a'), { id: 'c1' })
  const again = await tell(senderOver(connection), home, Deposit({ accountId: 'a', amount: 5 }, { id: 'c1' }))
  assert.equal(again, { ...first, duplicate: true })
  assert.is((await commandsIn(connection, home)).length, 1)
})

test('TL1 one id may stand for commands to several aggregates, and none is lost', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const sender = senderOver(connection)
  const told = await Promise.all(['a', 'b', 'a b'].map((id) => tell(sender, home, deposit(id), { id: 'transfer-1' })))
  assert.equal(
    told.map(({ duplicate }) => duplicate),
    [false, false, false],
  )
  assert.is((await commandsIn(connection, home)).length, 3)
})

test('commands without an id are told each, in the order in which they were told', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const sender = senderOver(connection)
  const told = await Promise.all(
    Array.from({ length: 50 }, (_, at) => tell(sender, home, Deposit({ accountId: 'a', amount: at + 1 }))),
  )
  assert.is(new Set(told.map(({ commandId }) => commandId)).size, 50)
  const amounts = (await commandsIn(connection, home)).map(({ data }) => (data as { amount: number }).amount)
  assert.equal(
    amounts,
    Array.from({ length: 50 }, (_, at) => at + 1),
  )
})

test('TL1 a command is told though the server is away when it is told, and stored once', async () => {
  const server = await ownServer()
  const connection = await connectTo(server.url)
  const home = await accountHome(connection)
  const sender = senderOver(connection)
  await tell(sender, home, deposit('a'), { id: 'c0' })
  await server.kill()
  const told = tell(sender, home, deposit('a'), { id: 'c1' })
  await server.restart()
  assert.is((await told).sequence, 2)
  assert.is((await commandsIn(connection, home)).length, 2)
  await connection.close()
})

test('what cannot be a command is refused before it is sent, with a code', async () => {
  const connection = await sharedConnection()
  const home = await accountHome(connection)
  const client = createActorClient({ connection, clock: systemClock, newId: systemId, homes: [home] })
  const place = PlaceOrder({ orderId: 'o', total: 1 }) as never
  await rejects(client.actor(account).tell(place), (error: unknown) => isFault(error, 'COMMAND_UNKNOWN'))
  assert.throws(
    () => client.actor(order),
    (error: unknown) => isFault(error, 'DECLARATION_UNKNOWN'),
  )
  await rejects(client.actor(account).tell(deposit('x'.repeat(2_000))), (error: unknown) =>
    isFault(error, 'AGGREGATE_ID_INVALID'),
  )
  const signal = AbortSignal.abort(new Error('enough'))
  await rejects(client.actor(account).tell(deposit('a'), { signal }), /enough/)
  assert.is((await commandsIn(connection, home)).length, 0)
  client.close()
})

test.run()
