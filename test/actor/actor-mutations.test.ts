// The judge of the soak of actors can tell: what is broken on purpose is found.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ActorDeclaration } from '../../src/actor/actor-options.ts'
import { readRecord } from '../../src/actor/read-record.ts'
import { decodeEvents } from '../../src/event/decode-event.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import account, { Add } from '../../soak/actor-streams/ledger/actors/account.ts'
import { judgeRecords, type AccountRecord, type ActorVerdict } from '../../soak/actors/oracle.ts'
import { ActorWorld, commands, stream } from './actor-world.ts'

const test = suite('broken actors')

const ACCOUNTS = ['a', 'b', 'c']
const COUNT = 90

/** Commands for three accounts in turn, some of which come a second time. */
function worldOf(actor: ActorDeclaration = account): ActorWorld {
  const world = new ActorWorld(actor)
  for (let at = 0; at < COUNT; at++) {
    const name = ACCOUNTS[at % ACCOUNTS.length] ?? ''
    const n = 1 + Math.floor(at / ACCOUNTS.length)
    world.give(Add({ account: name, n, amount: n }, { id: `${name}-${n}` }))
    if (at % 7 === 0) world.give(Add({ account: name, n, amount: n }, { id: `${name}-${n}` }))
  }
  return world
}

function settle(world: ActorWorld): void {
  world.settle((id) => ({ ok: true, value: { by: id, n: 25 } }))
}

/** The verdict on what several units have stored between them, in the order in which they did. */
function verdict(world: ActorWorld): ActorVerdict {
  const log = new Map<number, StoredEvent>()
  for (const message of world.log) {
    const { sequence, storedAt } = message
    const at = { stream: commands.name, sequence, storedAt, kept: true }
    for (const decoded of decodeEvents(world.registry, message, at))
      if (decoded.kind === 'event') log.set(sequence, decoded.event)
  }
  const records = world.stored.flatMap(({ subject, headers, data }, at): AccountRecord[] => {
    const [, id = '', , kind] = subject.split('.')
    if (!subject.startsWith(`${stream.root}.`) || kind !== 'aggregate') return []
    const header = (name: string): string | undefined => headers.find(([own]) => own === name)?.[1]
    const source = { sequence: at + 1, storedAt: 0, data, header }
    return [{ id, record: readRecord(world.registry, source, stream.name, subject) }]
  })
  const ids = new Set([...log.values()].map((event) => event.id))
  return judgeRecords(log, records, [...ids])
}

/** What counts against it, but for timers and steps, which have no time to come. */
function harm({ duplicated, different, outOfOrder, gaps, lost, examples }: ActorVerdict) {
  const never = examples.filter((text) => text.includes('never came') || text.includes('never ended')).length
  return { lost: lost - never, duplicated, different, outOfOrder, gaps }
}

const NONE = { lost: 0, duplicated: 0, different: 0, outOfOrder: 0, gaps: 0 }

test('nothing is said against what is not broken, though it dies in between', () => {
  const world = worldOf()
  for (let at = 10; at <= world.log.length; at += 10) {
    world.handle(at)
    settle(world)
    if (at % 30 === 0) world.commit()
    else world.crash()
  }
  world.handle()
  settle(world)
  world.commit()
  assert.equal(harm(verdict(world)), NONE)
})

test('no fence: a former owner that still stores is found', () => {
  const world = worldOf()
  world.handle(40)
  world.commit()
  world.handle(60)
  const zombie = world.unit
  world.crash()
  world.handle()
  world.commit()
  for (let commit = zombie.commit(); commit !== undefined; commit = zombie.commit())
    world.stored.push(...commit.outputs)
  const found = harm(verdict(world))
  assert.ok(found.duplicated > 0 && found.gaps > 0 && found.outOfOrder > 0, JSON.stringify(found))
})

test('no dedupe: a command that comes again is found', () => {
  const world = worldOf({ ...account, remember: 0 } as ActorDeclaration)
  world.handle()
  settle(world)
  world.commit()
  assert.ok(harm(verdict(world)).duplicated > 0)
})

test('ack before commit: what was never stored is found', () => {
  const world = worldOf()
  world.handle(40)
  world.commit()
  const passed = world.log.splice(40, 10) // acknowledged, and then its owner died
  world.handle()
  world.commit()
  world.log.push(...passed)
  const found = harm(verdict(world))
  assert.ok(found.lost > 0, JSON.stringify(found))
})

test.run()
