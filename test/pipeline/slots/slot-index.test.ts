import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplayMarks, Mark } from '../../../src/pipeline/slots/replay-marks.ts'
import { SlotTable } from '../../../src/pipeline/slots/slot-table.ts'
import { Slot } from '../../../src/pipeline/slots/slot.ts'

const test = suite('slots by key')
const IDLE = 10
const KEYS = 300

const before = { sequence: 1, turns: 0, watermark: 0, newest: 0, stored: 0, notices: {} }
const target = { emitted: () => undefined, failed: () => undefined, completed: () => undefined }

function slotOf(key: string, time: number): Slot {
  const event = { id: `${key}-${time}`, sequence: time }
  return new Slot(target, key, event as never, 0, time, new ReplayMarks().hold(new Mark(before)))
}

test('a key has the slot that lives, however many have gone, and none once it has ended', () => {
  const step = fc.noBias(fc.record({ key: fc.nat(KEYS), wait: fc.constantFrom(0, 0, 0, 0, 1, 2) }))
  fc.assert(
    fc.property(fc.array(step, { minLength: 300, maxLength: 900 }), (steps) => {
      const table = new SlotTable({ idle: IDLE, epoch: undefined })
      const living = new Map<string, Slot>()
      let time = 0
      for (const { key, wait } of steps) {
        time += wait
        while (table.due <= time) {
          const due = table.due
          while (table.takeEnded(due) !== undefined);
          for (let slot = table.takeEnding(due); slot !== undefined; slot = table.takeEnding(due)) {
            assert.is(living.get(slot.key), slot)
            living.delete(slot.key)
          }
        }
        const name = `key-${key}`
        const known = table.get(name)
        assert.is(known, living.get(name))
        if (known === undefined) {
          const slot = slotOf(name, time)
          living.set(name, slot)
          table.add(slot)
        } else table.touch(known, time)
        assert.is(table.size, living.size)
      }
      for (let key = 0; key <= KEYS; key++) assert.is(table.get(`key-${key}`), living.get(`key-${key}`))
    }),
    { numRuns: 60 },
  )
})

test.run()
