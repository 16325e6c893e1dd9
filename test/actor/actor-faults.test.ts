// What can go wrong with an actor, each with its code: it harms its own aggregate, and the others go on.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { setTimer } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { fault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { ActorWorld } from './actor-world.ts'

const test = suite('actor faults')

const data = z.object({ id: z.string(), what: z.string() })
const key = ({ id }: { id: string }): string => id
const Do = defineCommand('fault.do', { data, key })
const Unknown = defineCommand('nobody.takes', { data, key })
const Done = defineEvent('fault.done', { data, key })
const health = { ill: true }

const frail = defineActor({
  name: 'frail',
  version: 1,
  initial: () => ({ done: [] as string[] }),
  commands: [Do],
  events: [Done],
  decide: {
    'fault.do': (_, { data: own }) => {
      if (own.what === 'throw' && health.ill) throw new Error('ill')
      if (own.what === 'many') return Array.from({ length: 600 }, (_each, at) => setTimer(`t${at}`, '1h', Do(own)))
      if (own.what === 'send') return [{ effect: 'send' as const, command: Unknown(own) }]
      return [Done(own)]
    },
  },
  evolve: {
    'fault.done': ({ done }, { data: own }) => {
      if (own.what === 'unfit' && health.ill) throw new Error('cannot take it')
      return { done: [...done, own.what] }
    },
  },
})

const what = (world: ActorWorld, id: string): unknown[] =>
  world.records(id).flatMap(({ events }) => events.map(({ data: own }) => (own as { what: string }).what))

function run(world: ActorWorld, drafts: readonly { id: string; what: string }[]): Turn[] {
  const turns: Turn[] = []
  for (const draft of drafts) {
    const turn = world.unit.handle(world.give(Do(draft)))
    if (turn !== undefined) turns.push(turn)
  }
  world.commit()
  return turns
}

const codes = (turns: readonly Turn[]): string[] =>
  turns.flatMap(({ deadLetters }) => deadLetters.map(({ code }) => code))

for (const [ill, code] of [
  ['throw', 'DECIDE_FAILED'],
  ['unfit', 'EVOLVE_FAILED'],
  ['many', 'DECISION_TOO_LARGE'],
  ['send', 'COMMAND_UNKNOWN'],
] as const)
  test(`AL9 ${code}: nothing of it is stored, the aggregate is parked with what comes after, others go on`, () => {
    health.ill = true
    const world = new ActorWorld(frail)
    const a = (own: string): { id: string; what: string } => ({ id: 'a', what: own })
    const turns = run(world, [a('1'), a(ill), a('2'), { id: 'b', what: '3' }, a('4')])
    assert.equal(codes(turns), [code])
    assert.equal(what(world, 'a'), ['1'])
    assert.equal(what(world, 'b'), ['3'])
    assert.equal(
      world.unit.record.parked.map(({ key: own, diverted }) => [own, diverted]),
      [['a', 3]],
    )
    if (ill !== 'throw' && ill !== 'unfit') return
    health.ill = false
    world.crash()
    world.redrive()
    world.commit()
    assert.equal(what(world, 'a'), ['1', ill, '2', '4'])
  })

test('AL9 an aggregate that cannot be read is parked with the code of why, and comes back when it can be', () => {
  health.ill = true
  const world = new ActorWorld(frail)
  world.unreadable.set('a', fault('AGGREGATE_HISTORY_GONE', 'a: version 1 to 7'))
  const turns = run(world, [
    { id: 'a', what: '1' },
    { id: 'b', what: '2' },
    { id: 'a', what: '3' },
  ])
  assert.equal(codes(turns), ['AGGREGATE_HISTORY_GONE'])
  assert.equal(what(world, 'b'), ['2'])
  world.unreadable.clear()
  world.redrive()
  world.commit()
  assert.equal(what(world, 'a'), ['1', '3'])
})

test('a state of a newer version stops the unit, which a process with newer code can take over', () => {
  const world = new ActorWorld(frail)
  world.unreadable.set('a', fault('AGGREGATE_STATE_NEWER', 'version 3, this is 1'))
  assert.throws(() => run(world, [{ id: 'a', what: '1' }]), /AGGREGATE_STATE_NEWER/)
})

test('AL9 an actor that dead-letters goes on with the aggregate; one that stops, stops before it', () => {
  health.ill = true
  const goesOn = new ActorWorld({ ...frail, onError: 'dead-letter' })
  const drafts = ['1', 'throw', '2'].map((own) => ({ id: 'a', what: own }))
  assert.equal(codes(run(goesOn, drafts)), ['DECIDE_FAILED'])
  assert.equal(what(goesOn, 'a'), ['1', '2'])
  const stops = new ActorWorld({ ...frail, onError: 'stop' })
  assert.throws(() => run(stops, drafts), /POISON_STOPPED/)
})

test('a command that breaks its contract, or has no key that can be an id, is a dead letter of itself', () => {
  const world = new ActorWorld(frail)
  const long = 'x'.repeat(2_000)
  world.give(Do({ id: long, what: '1' }))
  world.give({ ...Do({ id: 'a', what: '1' }), data: { id: 'a' } })
  world.give(Do({ id: 'b', what: '2' }))
  const turns = world.log.map((message) => world.unit.handle(message)).flatMap((turn) => turn ?? [])
  world.commit()
  assert.equal(codes(turns), ['AGGREGATE_ID_INVALID', 'EVENT_DATA_INVALID'])
  assert.equal(what(world, 'b'), ['2'])
})

test.run()
