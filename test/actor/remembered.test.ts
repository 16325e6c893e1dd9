import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commandMark, isRemembered, remember, rememberedCount } from '../../src/actor/remembered.ts'

const test = suite('commands that an aggregate remembers')

test('the last commands are known again, the ones before are forgotten', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 80 }), fc.integer({ min: 0, max: 40 }), (ids, most) => {
      let remembered: string | undefined
      for (const id of ids) remembered = remember(remembered, commandMark(id), most)
      assert.is(rememberedCount(remembered), Math.min(most, ids.length))
      const known = ids.filter((id) => isRemembered(remembered, commandMark(id)))
      assert.equal(known, most === 0 ? [] : ids.slice(-most))
    }),
  )
})

test('a mark that stands across two others is none', () => {
  const [one, other] = [commandMark('1'), commandMark('2')]
  const across = (one + other).slice(3, 11)
  assert.not(isRemembered(one + other, across))
  assert.ok(isRemembered(one + other + across, across))
})

test('a mark has six bytes, and is printable', () => {
  for (let at = 0; at < 1_000; at++) assert.match(commandMark(`c${at}`), /^[A-Za-z0-9_-]{8}$/)
})

test.run()
