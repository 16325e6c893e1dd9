import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ActorLogic } from '../../src/actor/actor-logic.ts'
import { commandMark } from '../../src/actor/remembered.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { commands, stream } from './actor-world.ts'
import { account, Deposit } from './sample-actors.ts'

const test = suite('memory of actors')

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function used(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

test('AL2 an idle aggregate with a small state and 32 remembered commands takes at most 600 bytes', () => {
  const count = 20_000
  const actor = { ...account, memory: { aggregates: count } }
  const place = { actor, stream, commands, homeOf: () => commands, maxPayload: 1024 * 1024 }
  const marks = Buffer.from(Array.from({ length: 32 }, (_, at) => commandMark(`c${at}`)).join(''))
  const load = (): { facts: never; size: number } => ({
    facts: {
      version: 40,
      state: JSON.parse('{"balance":12,"entries":40}') as unknown,
      remembered: marks.toString('latin1'),
      timers: undefined,
      closed: false,
      storedAt: 40,
    } as never,
    size: 500,
  })
  const before = used()
  const logic = new ActorLogic({ place, load }, { kind: 'fresh' })
  const at = { stream: commands.name, storedAt: 1_767_225_600_000 }
  for (let sequence = 1; sequence <= count; sequence++) {
    const draft = Deposit({ accountId: `account-${sequence}`, amount: 1 })
    const command = { ...completeDraft(draft, { id: `id-${sequence}`, source: '/test', time: 0 }), ...at, sequence }
    assert.ok(logic.admits(command))
    logic.turn(command, (error) => {
      throw error
    })
    logic.afterCommit()?.()
  }
  const each = (used() - before) / count
  const { inMemory, bytes } = logic.report() as { inMemory: number; bytes: number }
  assert.is(inMemory, count)
  assert.ok(each <= 600, `${each.toFixed(0)} bytes each`)
  // the bound by bytes goes by what is estimated
  assert.ok(bytes / count > each / 2 && bytes / count < each * 2, `${bytes / count} estimated, ${each.toFixed(0)} each`)
  if (process.env['MILLRACE_FIGURES'] !== undefined)
    console.log(`${each.toFixed(0)} bytes each, ${bytes / count} estimated`)
  logic.stop()
})

test.run()
