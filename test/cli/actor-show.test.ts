import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { timerSubject } from '../../src/actor/timer-message.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { historyCommand } from '../../src/cli/actor/history-command.ts'
import { showCommand, type ShowFlags } from '../../src/cli/actor/show-command.ts'
import type { CliContext } from '../../src/cli/context.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { Hand, type Account } from '../actor/accounts.ts'
import { Deposited, freshStream, Noted, sharedConnection } from '../actor/support.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'

const test = suite('cli: actor show and history')

const connection = await sharedConnection()
const stream = await freshStream(connection, { storage: 'memory' })
const Deposit = defineCommand('account.deposit', { data: z.object({ id: z.string() }), key: ({ id }) => id })
const actor = defineActor({
  name: 'account',
  version: 2,
  initial: (): Account => ({ sum: 0, notes: [] }),
  commands: [Deposit],
  events: [Deposited, Noted],
  decide: { 'account.deposit': () => [] },
  evolve: {
    'account.deposited': (state, { data }) => ({ ...state, sum: state.sum + data.amount }),
    'account.noted': (state, { data }) => ({ ...state, notes: [...state.notes, data.text] }),
  },
})

function contextOf(json = false): TestContext & CliContext {
  return { ...cliContext({ json }), deployment: async () => ({ actors: [{ actor, stream }] }) as never }
}

async function show(id: string, flags: Partial<ShowFlags> = {}) {
  const [plain, json] = [contextOf(), contextOf(true)]
  await showCommand(plain, 'account', id, { limit: 20, ...flags })
  await showCommand(json, 'account', id, { limit: 20, ...flags })
  return { text: plain.out.text(), json: JSON.parse(json.out.text()) as Record<string, any> }
}

async function failsWith(code: string, work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.is(isFault(error) ? error.code : error, code)
}

test('the state is shown, with version, command, timers, steps, and whether it is closed', async () => {
  const hand = new Hand(connection, stream, 'é\u001b[31m 1')
  await hand.decide([1, 2])
  const frame = { sv: 2, v: 3, s: { sum: 6, notes: [] }, t: { remind: `${(1_700_000_000_000).toString(36)}-x-1` } }
  await hand.decide([3], { frame: { ...frame, o: ['charge#1'], z: true } })
  const { text, json } = await show(hand.id)
  assert.match(text, 'account "é\\u001b[31m 1", version 3')
  assert.not.match(text, '\u001b')
  for (const part of [
    'timer      remind due 2023-11-14T22:13:20.000Z, fired: its command is not decided',
    'step       charge#1',
    'closed',
    '"sum": 6',
    'c2',
  ])
    assert.match(text, part)
  assert.equal([json['version'], json['state'], json['command']], [3, { sum: 6, notes: [] }, 'c2'])
  assert.equal([json['timers'], json['steps'], json['closed']], [frame.t, ['charge#1'], true])
  assert.equal(json['firedTimers'], ['remind'], 'the server has no schedule of it')
  const timer = { name: 'remind', setting: frame.t.remind }
  const subject = timerSubject(stream.name, 'account', hand.id, timer)
  await publishOnce(connection, { subject, headers: [], data: Buffer.from('a schedule') })
  const pending = await show(hand.id)
  assert.equal([pending.json['firedTimers'], pending.text.includes('fired')], [[], false])
})

test('a point of the past is shown as it was, without the actor', async () => {
  const hand = new Hand(connection, stream, 'past')
  const sequences: number[] = []
  for (const amount of [1, 2, 3]) sequences.push(await hand.decide([amount]))
  const sums = []
  for (const atSeq of sequences) sums.push((await show('past', { atSeq })).json['state'].sum)
  assert.equal(sums, [1, 3, 6])
  assert.is((await show('past', { atTime: '2100-01-01' })).json['version'], 3)
  await failsWith('AGGREGATE_NOT_FOUND', show('past', { atSeq: (sequences[0] as number) - 1 }))
  await failsWith('AGGREGATE_NOT_FOUND', show('past', { atTime: '1h' }))
  await failsWith('USAGE', show('past', { atTime: 'yesterday' }))
  await failsWith('USAGE', show('past', { atTime: '1h', atSeq: 1 }))
})

test('--diff says what each event changed, and who caused it; rejections change nothing', async () => {
  const hand = new Hand(connection, stream, 'diff')
  await hand.decide([5], { carry: 0 })
  await hand.decide([], { carry: 0 })
  await hand.decide([1, 2], { carry: 0 })
  const { text, json } = await show('diff', { diff: true })
  assert.match(text, /1 {2}2023-\S+ {2}account\.deposited {2}by c1, command 3\n +~ sum: 0 → 5\n/)
  assert.match(text, /3 {2}2023-\S+ {2}account\.deposited {2}by c3, command 3\n +~ sum: 6 → 8\n/)
  assert.equal(
    json['diff'].map(({ version, changes }: any) => [version, changes]),
    [0, 5, 6].map((before, at) => [
      at + 1,
      [{ kind: 'changed', path: 'sum', before, after: before + ([5, 1, 2][at] ?? 0) }],
    ]),
  )
  assert.is((await show('diff', { diff: true, limit: 1 })).json['diff'].length, 2)
})

test('the history lists events and rejections, oldest first, with their commands', async () => {
  const hand = new Hand(connection, stream, 'told')
  await hand.decide([1])
  await hand.decide([])
  await hand.decide([2, 3])
  const context = contextOf()
  await historyCommand(context, 'account', 'told', { limit: 50 })
  const lines = context.out.text().trimEnd().split('\n')
  assert.is(lines.length, 5)
  assert.match(lines[1] ?? '', /^ +1 {2}2023-11-14 22:13:20\.123 .* account\.deposited +c1 .*\{"amount":1\}/)
  assert.match(lines[2] ?? '', /rejected: no +c2 .* no$/)
  assert.match(lines[4] ?? '', /^ +3 .* c3 .*\{"amount":3\}/)
  const json = contextOf(true)
  await historyCommand(json, 'account', 'told', { limit: 2 })
  const { version, history } = JSON.parse(json.out.text()) as Record<string, any>
  assert.equal([version, history.map(({ command }: any) => command.id)], [3, ['c2', 'c3']])
  assert.equal(history[0].rejected, { code: 'no', message: 'no' })
  assert.is(history[0].correlationId, 'talk', 'a rejection says to which conversation it belongs')
  assert.equal(
    history[1].events.map(({ id }: any) => id),
    ['account:told:2', 'account:told:3'],
  )
})

test('what is not there is said', async () => {
  await failsWith('AGGREGATE_NOT_FOUND', show('nobody'))
  await failsWith('AGGREGATE_ID_INVALID', show(''))
  await failsWith('DECLARATION_UNKNOWN', showCommand(contextOf(), 'acount', '1', { limit: 1 }))
})

test.run()
