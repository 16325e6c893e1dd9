// Steps, and what waits behind them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { actorStep } from '../../src/actor/actor-step.ts'
import { reject, step } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { z } from 'zod'
import { ActorWorld } from './actor-world.ts'

const test = suite('actor steps')

const data = z.object({ id: z.string(), n: z.int() })
const key = ({ id }: { id: string }): string => id
const Work = defineCommand('work.begin', { data, key })
const Note = defineCommand('work.note', { data, key })
const End = defineCommand('work.end', { data, key })
const Begun = defineEvent('work.begun', { data, key })
const Noted = defineEvent('work.noted', { data, key })
const Ended = defineEvent('work.ended', { data, key })

/** Fails at a note of 13 while `ill`. */
const health = { ill: false }
const worker = defineActor({
  name: 'worker',
  version: 1,
  initial: () => ({ seen: 0 as number }),
  commands: [Work, Note, End],
  events: [Begun, Noted, Ended],
  steps: {
    run: actorStep({
      run: (input: { n: number }) => Promise.resolve(input.n * 2),
      done: (n: number, _input, id) => End({ id, n }),
      failed: ({ message }, _input, id) => End({ id, n: message.length }),
    }),
  },
  decide: {
    'work.begin': (_, { data: own }) => (own.n < 0 ? reject('no', 'no') : [Begun(own), step('run', { n: own.n })]),
    'work.note': (_, { data: own }) => {
      if (health.ill && own.n === 13) throw new Error('unlucky')
      return [Noted(own)]
    },
    'work.end': (_, { data: own }) => [Ended(own)],
  },
  evolve: {
    'work.begun': ({ seen }) => ({ seen: seen + 1 }),
    'work.noted': ({ seen }) => ({ seen: seen + 1 }),
    'work.ended': ({ seen }) => ({ seen: seen + 1 }),
  },
})

const done = (n: number) => () => ({ ok: true as const, value: n })
const seen = (world: ActorWorld, id = 'a'): unknown[] =>
  world
    .records(id)
    .flatMap(({ events }) => events.map(({ type, data: own }) => `${type.slice(5)} ${(own as { n: number }).n}`))

test('AL3 AL7 what comes behind an open step waits, in order; other aggregates go on', () => {
  const world = new ActorWorld(worker)
  world.give(Work({ id: 'a', n: 1 }))
  for (const n of [2, 3]) world.give(Note({ id: 'a', n }))
  world.give(Note({ id: 'b', n: 4 }))
  world.handle()
  world.commit()
  assert.equal(seen(world), ['begun 1'])
  assert.equal(seen(world, 'b'), ['noted 4'])
  assert.is(world.unit.steps.length, 1)
  world.settle(done(7))
  world.commit()
  assert.equal(seen(world), ['begun 1', 'ended 7', 'noted 2', 'noted 3'])
  assert.equal(
    world.records('a').map(({ decided }) => decided[0]?.q),
    [1, 0, 2, 3],
  )
})

test('AL3 a step that was open when the process ended is run again, and what waited still waits', () => {
  const world = new ActorWorld(worker)
  world.give(Work({ id: 'a', n: 1 }))
  for (const n of [2, 3]) world.give(Note({ id: 'a', n }))
  world.handle()
  world.commit()
  const [before] = world.unit.steps
  world.crash()
  const [again] = world.unit.steps
  assert.is(again?.id, before?.id)
  world.give(Note({ id: 'a', n: 5 }))
  world.handle()
  world.settle(done(7))
  world.commit()
  assert.equal(seen(world), ['begun 1', 'ended 7', 'noted 2', 'noted 3', 'noted 5'])
})

test('AL3 a step of a waiting command begins when its turn has come, and the rest waits for it', () => {
  const world = new ActorWorld(worker)
  for (const draft of [Work({ id: 'a', n: 1 }), Work({ id: 'a', n: 2 }), Note({ id: 'a', n: 3 })]) world.give(draft)
  world.handle()
  world.settle(done(7))
  world.commit()
  assert.equal(seen(world), ['begun 1', 'ended 7', 'begun 2'])
  world.crash()
  world.settle(() => ({ ok: false, error: { name: 'Error', message: 'four' } }))
  world.commit()
  assert.equal(seen(world), ['begun 1', 'ended 7', 'begun 2', 'ended 4', 'noted 3'])
})

test('AL3 a hot aggregate with 10,000 waiting commands decides them in parts that fit a batch, in order', () => {
  const world = new ActorWorld(worker)
  world.give(Work({ id: 'a', n: 0 }))
  const numbers = Array.from({ length: 10_000 }, (_, at) => at + 1)
  for (const n of numbers) world.give(Note({ id: 'a', n }))
  world.handle()
  world.commit()
  const next = world.give(Note({ id: 'a', n: 10_001 }))
  assert.is(world.unit.handle(next), undefined, 'no more may wait than that')
  for (let turns = 0; world.stored.length < 10_002 && turns < 400; turns++) {
    world.settle(done(-1))
    world.commit()
    if (turns % 50 === 7) world.crash()
  }
  world.handle()
  for (let turns = 0; turns < 3; turns++) world.settle(done(-1))
  world.commit()
  assert.equal(seen(world), ['begun 0', 'ended -1', ...[...numbers, 10_001].map((n) => `noted ${n}`)])
})

test('AL3 what fails behind a step lets nothing past it: the aggregate is parked, and redriven in order', () => {
  health.ill = true
  const world = new ActorWorld(worker)
  world.give(Work({ id: 'a', n: 1 }))
  for (const n of [2, 13, 3]) world.give(Note({ id: 'a', n }))
  world.handle()
  world.settle(done(7))
  world.commit()
  assert.equal(seen(world), ['begun 1', 'ended 7', 'noted 2'])
  assert.is(world.unit.record.deadLetters, 1)
  // the next command finds it stuck: now the key is parked, and what comes after it is diverted
  for (const n of [4, 5]) world.give(Note({ id: 'a', n }))
  world.give(Note({ id: 'b', n: 6 }))
  world.handle()
  world.commit()
  assert.equal(seen(world, 'b'), ['noted 6'])
  assert.equal(
    world.unit.record.parked.map(({ key: own, diverted, code }) => [own, diverted, code]),
    [['a', 2, 'AGGREGATE_STUCK']],
  )
  world.crash()
  health.ill = false
  world.redrive()
  world.commit()
  assert.equal(seen(world), ['begun 1', 'ended 7', 'noted 2', 'noted 13', 'noted 3', 'noted 4', 'noted 5'])
  assert.equal(world.unit.record.parked, [])
})

test.run()
