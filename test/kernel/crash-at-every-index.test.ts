// The kernel’s promise in a model without a server: a crash, a takeover or a lost receipt at every single step of a run,
// and what comes out is the function of log and journal that it would have been. Then the same with the protocol broken
// on purpose: each break must be noticed, or the tests prove nothing.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeCommitRecord } from '../../src/kernel/commit-record.ts'
import {
  crashAt,
  diesAgainAndAgain,
  finish,
  neverHarmed,
  noticed,
  overtakeAt,
  someCourse,
  worldOf,
} from './crash-property.ts'
import { mutations, processors, sizeFor } from './crash-subjects.ts'

const test = suite('a crash at every step of a run')
for (const [what, processor] of processors) {
  test(`K1 C1 C2 C4 a ${what} that dies at any step is the one that never died, ids included`, () => {
    neverHarmed(processor, crashAt, { runs: 1, length: 14 })
  })

  test(`K1 C2 C3 a ${what} that is overtaken at any step and wakes up again stores nothing more`, () => {
    neverHarmed(processor, overtakeAt, { runs: 1, length: 14 })
  })

  test(`K1 C2 a ${what} that dies again and again, also while it recovers, comes to the same end`, () => {
    for (const bursts of [false, true]) diesAgainAndAgain(processor, { runs: 8, length: 40, bursts })
  })
}

test('K1 what is tested has everything in it that the kernel has to bring back', () => {
  const found = new Map<string, number>()
  const add = (what: string, count: number): void => void found.set(what, (found.get(what) ?? 0) + count)
  for (const course of fc.sample(someCourse(60), { numRuns: 8, seed: 1 }))
    for (const [what, processor] of processors) {
      const world = worldOf(processor, course)
      finish(world)
      add(`outputs of a ${what}`, world.out.outputs().length)
      add('dead letters', world.out.deadLetters.size)
      for (const { kind } of world.out.journal(processor)) add(`${kind} in the journal of a ${what}`, 1)
      let stateFrom: number | null = null
      for (const { subject, data } of world.out.stored) {
        if (!subject.includes('.commit.')) continue
        const record = decodeCommitRecord(data, subject)
        if (record.partial !== null) add(`parts of a ${what}`, 1)
        if ((record.partial?.journal.length ?? 0) > 0) add('decisions to take again', 1)
        if (record.snapshot !== null && record.position > record.snapshot.position) add('turns after a snapshot', 1)
        if (record.turnsToReplay > 3 && record.replayFrom !== null) add('long replays', 1)
        if (stateFrom !== null && record.stateFrom !== stateFrom) add('rounds of the state log', 1)
        stateFrom = record.stateFrom
      }
    }
  for (const [what, count] of found) assert.ok(count >= 3, `${what}: ${count}`)
  const memories = processors.slice(2).map(([what]) => what)
  for (const kind of ['tick', 'step', 'skip'])
    for (const what of memories) assert.ok(found.has(`${kind} in the journal of a ${what}`), `${kind} ${what}`)
  for (const what of ['decisions to take again', 'turns after a snapshot', 'long replays', 'rounds of the state log'])
    assert.ok(found.has(what), what)
  assert.is(
    [...found.keys()].filter((what) => what.startsWith('parts of')).length,
    processors.length - 1,
    'of all but rules',
  )
})

for (const [mutation, harmed, accident] of mutations)
  for (const processor of harmed)
    test(`the tests notice ${mutation} in ${processor.name}`, () => {
      const size = { runs: 16, ...sizeFor(mutation) }
      const often = mutation === 'no basis' ? 1 : 2
      assert.ok(noticed(mutation, processor, accident, size, often), `noticed ${often} times in sixteen runs`)
    })

test.run()
