// PK1 PK2 PK4: keys that are parked and come back, as a property; a soak has more runs.
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { MemoryKind } from '../../../src/kernel/processor.ts'
import type { Size } from '../segment-property.ts'
import { ParkingHost, someActs, type Act } from './parking-host.ts'

export const someRun = fc.record({ acts: someActs, room: fc.constantFrom(1, 2, 5, 950) })

function play(memory: MemoryKind, { acts, room }: { acts: readonly Act[]; room: number }): ParkingHost {
  const host = new ParkingHost(memory, room)
  for (const act of acts) host.act(act)
  host.finish()
  return host
}

/** What one after the other leads to, where nothing fails. */
function expected(host: ParkingHost): Map<string, unknown[]> {
  const calm = new ParkingHost(host.processor.memory)
  for (let repairs = 0; repairs < 3; repairs++) calm.repair()
  for (const message of host.log)
    if (message.subject.startsWith('t.')) calm.log.push({ ...message, sequence: calm.log.length + 1 })
  calm.finish()
  return calm.effects()
}

/** Each event has its effect once and in the order of its key, whatever fails, dies and is redriven, and when. */
export function parksInOrder(memory: MemoryKind, { runs, seed }: Size): void {
  fc.assert(
    fc.property(someRun, (run) => {
      const host = play(memory, run)
      assert.equal(host.unit.record.parked, [])
      const effects = host.effects()
      for (const [machine, numbers] of host.published)
        assert.equal(
          (effects.get(machine) ?? []).map(({ number }) => number),
          numbers,
          machine,
        )
      assert.equal(effects, expected(host), 'the counts too')
      for (const machine of host.published.keys()) {
        const numbers = new Map<string, number>()
        for (const { note } of host.parked(machine)) {
          assert.is(note.number, numbers.get(note.parking) ?? 0, 'no gap in a park, and no repetition')
          numbers.set(note.parking, note.number + 1)
        }
      }
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )
}
