import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EntryTable, type TableEntry } from '../../src/kernel/entry-table.ts'
import { RenewedMap } from '../../src/kernel/renewed-map.ts'

const test = suite('maps of what comes and goes')

test('a renewed map holds what a Map would, in its order', () => {
  const step = fc.record({ key: fc.nat(9), remove: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { minLength: 150, maxLength: 400 }), (steps) => {
      const [renewed, plain] = [new RenewedMap<number>(), new Map<string, number>()]
      for (const [at, { key, remove }] of steps.entries())
        if (remove) assert.is(renewed.delete(`${key}`), plain.delete(`${key}`))
        else {
          renewed.set(`${key}`, at)
          plain.set(`${key}`, at)
        }
      assert.is(renewed.size, plain.size)
      assert.equal([...renewed.values()], [...plain.values()])
      for (let key = 0; key < 10; key++) assert.is(renewed.get(`${key}`), plain.get(`${key}`))
    }),
    { numRuns: 100 },
  )
})

test('a reader meets nothing that has gone since it began', () => {
  const table = new EntryTable<TableEntry & { value: number | undefined }>(({ value }) => value)
  const all = Array.from({ length: 5 }, (_, at) => ({ key: `k${at}`, mark: 0, value: at as number | undefined }))
  for (const entry of all) table.add(entry)
  table.takeChanges()
  const reading = table.entries()
  reading.next()
  for (let at = 0; at < 500; at++) {
    table.add({ key: 'passing', mark: 0, value: undefined })
    table.takeChanges()
  }
  for (const entry of all.slice(0, 3)) {
    entry.value = undefined
    table.touch(entry)
  }
  table.takeChanges()
  assert.equal(
    [...reading].map(({ key }) => key),
    ['k3', 'k4'],
  )
})

test.run()
