// Keys that are parked and come back, with events that fail, crashes and redrivers that stop, lag or repeat at every
// step: each event has its effect once and in the order of its key, for every kind of memory.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { MemoryKind } from '../../../src/kernel/processor.ts'
import { ParkingHost } from './parking-host.ts'
import { parksInOrder, someRun } from './parking-property.ts'

const test = suite('parked keys, whatever happens')

const kinds: readonly MemoryKind[] = ['none', 'snapshot', 'replay', 'keyed']
for (const memory of kinds) {
  test(`PK1 PK2 PK4 memory ${memory}: each event once and in the order of its key, crashed and redriven anywhere`, () => {
    parksInOrder(memory, { runs: 120 })
  })
}

test('what is tested has parked keys, redrives that fail again, crashes while keys are parked and turns in parts in it', () => {
  const seen = { parked: 0, again: 0, crashes: 0, packs: 0 }
  for (const run of fc.sample(someRun, { numRuns: 60, seed: 7 })) {
    const host = new ParkingHost('replay', run.room)
    for (const act of run.acts) {
      const { parked } = host.unit.record
      if (act.kind === 'crash' && parked.length > 0) seen.crashes += 1
      host.act(act)
      for (const { key, failed } of host.unit.record.parked) {
        const before = parked.find((entry) => entry.key === key)
        if (before === undefined) seen.parked += 1
        else if (before.failed !== failed) seen.again += 1
      }
    }
    seen.packs += host.log.filter(({ data }) => Buffer.from(data).toString().includes('},{')).length
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= 30, `${what}: ${count}`)
})

test.run()
