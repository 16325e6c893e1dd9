// Timers of one aggregate that were missed come in any order, and are decided as they were due.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { setTimer } from '../../src/actor/decision.ts'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { TIMER_ATTRIBUTE } from '../../src/actor/timer-message.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { ActorWorld } from './actor-world.ts'

const test = suite('missed timers')

const key = ({ id }: { id: string }): string => id
const data = z.object({ id: z.string(), name: z.string() })
const Begin = defineCommand('bell.begin', { data: z.object({ id: z.string() }), key })
const Ring = defineCommand('bell.ring', { data, key })
const Rang = defineEvent('bell.rang', { data, key })

const bell = (onError: 'park' | 'dead-letter') =>
  defineActor({
    name: 'bell',
    version: 1,
    initial: () => ({}),
    commands: [Begin, Ring],
    events: [Rang],
    onError,
    decide: {
      'bell.begin': (_, { data: { id } }) =>
        ['one', 'two', 'three'].map((name, at) => setTimer(name, `${at + 1}s`, Ring({ id, name }))),
      'bell.ring': (_, { data: own }) => {
        if (broken && own.name === 'one' && own.id === 'broken') throw new Error('it is broken')
        return [Rang(own)]
      },
    },
    evolve: { 'bell.rang': (state) => state },
  })

let broken = true

class Bells extends ActorWorld {
  /** The server puts the command of a timer into the stream. */
  fire(id: string, name: string): void {
    const timers = this.records(id)[0]?.frame?.['t'] as Record<string, string>
    const attributes = { [TIMER_ATTRIBUTE.name]: name, [TIMER_ATTRIBUTE.setting]: timers[name] ?? '' }
    const draft = Ring({ id, name })
    this.give({ ...draft, attributes: { ...draft.attributes, ...attributes } })
    this.handle()
    this.commit()
  }

  begin(id: string): void {
    this.give(Begin({ id }))
    this.handle()
    this.commit()
  }

  /** Time passes, and the unit has the turns that it has asked for. */
  wait(ms: number): void {
    const last = this.log.at(-1)?.storedAt ?? 0
    this.give(Begin({ id: 'other' }), (last - Date.UTC(2026, 0, 1) + ms) / 1_000)
    this.handle()
    for (let times = 0; times < 2; times++) this.settle(() => ({ ok: true, value: null }))
    this.commit()
  }

  rung(id: string): unknown[] {
    return this.records(id).flatMap(({ events }) => events.map((event) => (event.data as { name: string }).name))
  }
}

test('AT3 they are decided in the order in which they were due, also after a crash in between', () => {
  const world = new Bells(bell('park'))
  world.begin('a')
  world.fire('a', 'three')
  world.crash()
  world.fire('a', 'two')
  assert.equal(world.rung('a'), [])
  world.fire('a', 'one')
  assert.equal(world.rung('a'), ['one', 'two', 'three'])
})

test('AT1 a timer does not wait for one whose command has failed', () => {
  const world = new Bells(bell('dead-letter'))
  world.begin('broken')
  for (const name of ['one', 'two', 'three']) world.fire('broken', name)
  assert.equal(world.rung('broken'), ['two', 'three'])
})

test('AT1 nor after a crash, nor where it came before the one that has failed', () => {
  const world = new Bells(bell('dead-letter'))
  world.begin('broken')
  world.fire('broken', 'three')
  world.fire('broken', 'one')
  world.crash()
  world.fire('broken', 'two')
  assert.equal(world.rung('broken'), ['two', 'three'])
})

test('AT1 a timer waits for one that does not come for a minute, and no longer', () => {
  const world = new Bells(bell('park'))
  world.begin('a')
  world.fire('a', 'three')
  world.crash()
  world.wait(50_000)
  assert.equal(world.rung('a'), [])
  world.wait(11_000)
  assert.equal(world.rung('a'), ['three'])
})

test('AT3 AL9 none gets past one that has parked its aggregate, however long that is; redriven, it comes first', () => {
  const world = new Bells(bell('park'))
  world.begin('broken')
  world.fire('broken', 'three')
  world.fire('broken', 'one')
  world.crash()
  world.wait(90_000)
  world.fire('broken', 'two')
  assert.equal(world.rung('broken'), [])
  broken = false
  world.redrive()
  world.commit()
  broken = true
  assert.equal(world.rung('broken'), ['one', 'two', 'three'])
})

test('AT1 one that came early, and whose minute went by while its aggregate was parked, is decided when the other is left out', () => {
  const world = new Bells(bell('park'))
  world.begin('broken')
  world.fire('broken', 'three')
  world.fire('broken', 'one')
  world.crash()
  world.wait(90_000)
  world.leaveOut()
  world.commit()
  assert.equal(world.rung('broken'), [])
  for (let times = 0; times < 2; times++) world.wait(61_000)
  assert.equal(world.rung('broken'), ['three'])
})

test.run()
