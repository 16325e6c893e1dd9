import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { archiveCommand } from '../../src/cli/actor/archive-command.ts'
import { eraseCommand } from '../../src/cli/actor/erase-command.ts'
import { historyCommand } from '../../src/cli/actor/history-command.ts'
import { showCommand } from '../../src/cli/actor/show-command.ts'
import { verifyCommand } from '../../src/cli/audit/verify-command.ts'
import type { CliContext } from '../../src/cli/context.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { Deliver, parcelActor, Ship, Weigh } from '../actor/personal-actor.ts'
import { deploy, recordsOf, tellAll, work } from '../actor/running-actors.ts'
import { account } from '../actor/sample-actors.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('cli: actor erase and archive')

const connection = await sharedConnection()
const deployment = await deploy(connection, [parcelActor(), account])
const runtime = await work(connection, deployment)
const ship = (parcelId: string) => Ship({ parcelId, receiver: parcelId, email: `${parcelId}@x`, street: 'here' })
await tellAll(connection, deployment, [ship('p1'), ship('p2'), ship('p3'), Weigh({ parcelId: 'p1', grams: 1 })])
await tellAll(connection, deployment, [Deliver({ parcelId: 'p3' })])
await eventually('5 records', async () => (await recordsOf(connection, deployment)).length === 5)
await runtime.stop()

function contextOf(json = false): TestContext & CliContext {
  return { ...cliContext({ json }), deployment: async () => deployment }
}

async function shown(id: string, personal = false) {
  const context = contextOf(true)
  await showCommand(context, 'parcel', id, { limit: 20, diff: true, personal })
  return JSON.parse(context.out.text()) as Record<string, any>
}

async function failsWith(code: string, work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.is(isFault(error) ? error.code : error, code)
}

test('personal values are left out of state, changes and history, unless they are asked for', async () => {
  const [without, open] = [await shown('p1'), await shown('p1', true)]
  assert.equal(without['state'], { email: null, street: null, grams: 1, notes: '' })
  assert.equal(open['state'], { email: 'p1@x', street: 'here', grams: 1, notes: '' })
  assert.equal(
    [without['diff'][1].data, open['diff'][1].data],
    [
      { grams: 1, to: null },
      { grams: 1, to: 'p1@x' },
    ],
  )
  for (const personal of [false, true]) {
    const context = contextOf(true)
    await historyCommand(context, 'parcel', 'p1', { limit: 9, personal })
    assert.is(context.out.text().includes('p1@x'), personal)
    assert.not.match(context.out.text(), '$personal')
  }
})

test('nothing is erased without --yes; with it the values are null, and those of others stay', async () => {
  await failsWith('USAGE', eraseCommand(contextOf(), 'parcel', 'p1', {}))
  assert.is((await shown('p1', true))['state'].email, 'p1@x')
  const context = contextOf(true)
  await eraseCommand(context, 'parcel', 'p1', { yes: true })
  const { keys, commands } = JSON.parse(context.out.text()) as Record<string, any>
  assert.equal([keys.length, commands], [1, 2])
  assert.is((await shown('p1', true))['state'].email, null)
  assert.is((await shown('p2', true))['state'].email, 'p2@x')
  await eraseCommand(contextOf(), undefined, undefined, { subject: 'p2', yes: true })
  assert.is((await shown('p2', true))['state'].email, null)
})

test('what cannot be erased is said', async () => {
  const yes = { yes: true }
  await failsWith('USAGE', eraseCommand(contextOf(), undefined, undefined, yes))
  await failsWith('USAGE', eraseCommand(contextOf(), 'parcel', 'p1', { ...yes, subject: 'p1' }))
  await failsWith('USAGE', eraseCommand(contextOf(), 'account', 'a', yes))
  await failsWith('DECLARATION_UNKNOWN', eraseCommand(contextOf(), 'parcl', 'p1', yes))
  await failsWith('AGGREGATE_NOT_FOUND', eraseCommand(contextOf(), 'parcel', 'nobody', yes))
  await failsWith('PERSONAL_SUBJECT_UNKNOWN', eraseCommand(contextOf(), undefined, undefined, { ...yes, subject: '?' }))
})

test('closed aggregates are listed, archived once, and shown with their file, which an audit verifies', async () => {
  const to = await temporaryDirectory()
  const archive = async (flags: object) => {
    const context = contextOf(true)
    await archiveCommand(context, 'parcel', flags)
    return (JSON.parse(context.out.text()) as { archived: { id: string; file?: string; messages?: number }[] }).archived
  }
  assert.equal(await archive({ dryRun: true }), [{ id: 'p3' }])
  assert.equal(await archive({ to, closedBefore: '1d' }), [])
  await failsWith('USAGE', archive({}))
  await failsWith('USAGE', archive({ to, closedBefore: 'once' }))
  const [one] = await archive({ to })
  assert.equal([one?.id, one?.messages], ['p3', 2])
  assert.equal(readdirSync(join(to, 'parcel')), [one?.file])
  const file = join(to, 'parcel', one?.file ?? '')
  assert.not.match(readFileSync(file, 'utf8'), 'p3@x')
  const { archived, closed, version } = await shown('p3')
  assert.equal([archived.file, archived.messages, closed, version], [one?.file, 2, true, 2])
  const plain = contextOf()
  await showCommand(plain, 'parcel', 'p3', { limit: 20 })
  assert.match(plain.out.text(), `archived   ${one?.file}: 2 records`)
  const before = showCommand(contextOf(), 'parcel', 'p3', { limit: 20, atSeq: 1 })
  const error = await before.then(() => '', String)
  assert.match(error, 'AGGREGATE_NOT_FOUND')
  assert.match(error, `before its archive is in the file ${one?.file}`)
  await verifyCommand(contextOf(), file, { hash: archived.hash } as never)
  assert.equal([await archive({ to }), await archive({ dryRun: true })], [[], []])
})

test.run()
