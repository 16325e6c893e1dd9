import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { GroupLog } from '../../../src/kernel/ownership/group-log.ts'
import { GroupView } from '../../../src/kernel/ownership/group-view.ts'
import { Knocking } from '../../../src/kernel/ownership/knocking.ts'
import { encodeMessage } from '../../../src/kernel/ownership/messages.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { connectTo } from '../../support/broker.ts'
import { sharedServer } from '../../support/nats.ts'
import { freshGroup, Ledger, memberOf } from './ledger.ts'
import { VirtualClock } from './virtual-clock.ts'

const test = suite('members knock at each other')

const LONG_LEASE = 60_000

test('O2 units of a process whose connection has ended are taken long before the lease is over', async () => {
  const { url } = await sharedServer()
  const [ledger, group] = [new Ledger(), freshGroup()]
  const [one, other] = [await connectTo(url), await connectTo(url)]
  const staying = await memberOf(ledger, { connection: one, group, leaseMs: LONG_LEASE })
  const dying = await memberOf(ledger, { connection: other, group, leaseMs: LONG_LEASE })
  await ledger.even([staying.name, dying.name], 16)
  await other.close() // as when its process is killed: it says nothing any more
  ledger.endAll(dying.name)
  await ledger.even([staying.name], 16) // in less than the lease
  await staying.ownership.stop()
  await one.close()
})

/** A group of three in which `b` and `c` answer as they are told to. */
function group(answers: (member: string) => boolean) {
  const clock = new VirtualClock()
  const view = new GroupView('a', 3_000)
  const asked: string[] = []
  const buried: string[] = []
  const say = (member: string, sequence: number, more = {}) =>
    view.apply(
      {
        subject: `millrace.ownership.g.member.${member}`,
        sequence,
        storedAt: 0,
        data: encodeMessage({ state: 'running', answers: true, ...more }),
      },
      0,
    )
  say('a', 1)
  say('b', 2)
  say('c', 3)
  const groupLog: Pick<GroupLog, 'isGone' | 'write'> = {
    isGone: async (member) => {
      asked.push(member)
      return answers(member)
    },
    write: async (_kind, member, message) => {
      buried.push(member)
      say(member, 4, message)
      return 4
    },
  }
  const knocking = new Knocking({
    member: 'a',
    groupLog: groupLog as GroupLog,
    clock,
    log: silentLog,
    view: () => view,
  })
  knocking.start()
  const pass = (ms: number): Promise<void> => clock.pass(ms)
  return { knocking, asked, buried, pass, say }
}

test('O2 a member that nobody answers for three times in a row is said to be gone, and the next one is asked', async () => {
  const { asked, buried, pass } = group((member) => member === 'b')
  await pass(1_000)
  assert.equal(buried, [])
  await pass(400)
  assert.equal(buried, ['b'])
  await pass(2_000)
  assert.equal(new Set(asked.slice(3)), new Set(['c']))
  assert.equal(buried, ['b'])
})

test('O2 one that answers again in between is not', async () => {
  let count = 0
  const { buried, pass } = group(() => (count += 1) % 3 !== 0)
  await pass(10_000)
  assert.equal(buried, [])
})

test('O2 nobody is said to be gone while all may still look for the server', async () => {
  const { knocking, asked, buried, pass } = group(() => true)
  knocking.linked()
  await pass(2_900)
  assert.equal(asked, [])
  await pass(2_000)
  assert.equal(buried[0], 'b')
})

test('O2 a member that cannot be asked is left to the lease', async () => {
  const { say, asked, pass } = group(() => true)
  say('b', 5, { answers: false })
  say('c', 6, { answers: undefined })
  await pass(5_000)
  assert.equal(asked, [])
})

test.run()
