import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteLiteral, viewOf } from '../../src/event/byte-literal.ts'
import { KnownValues } from '../../src/event/known-values.ts'

const test = suite('ASCII text in bytes')
const ascii = fc.stringMatching(/^[a-c]{0,11}$/)

test('a literal stands where its text stands, and nowhere else', () => {
  fc.assert(
    fc.property(ascii, ascii, fc.nat(12), fc.nat(12), (literal, text, from, limit) => {
      const bytes = Buffer.from(`.${text}.`).subarray(1, 1 + text.length)
      const end = Math.min(limit, text.length)
      const stands = from + literal.length <= end && text.startsWith(literal, from)
      assert.is(new ByteLiteral(literal).isAt(viewOf(bytes), from, end), stands)
    }),
    { numRuns: 3_000 },
  )
})

test('a value is known again when it was there before, as a whole and not as the beginning of another', () => {
  const view = (text: string): DataView => viewOf(Buffer.from(text))
  const known = new KnownValues()
  for (const value of ['order', 'order.paid', 'x']) known.add(value)
  assert.is(known.at(view('order\r\n'), 0, 7), 'order')
  assert.is(known.at(view('--order.paid\r\n'), 2, 14), 'order.paid')
  assert.is(known.at(view('x\r\n'), 0, 3), 'x')
  assert.is(known.at(view('orders\r\n'), 0, 8), undefined)
  assert.is(known.at(view('order'), 0, 5), undefined)
})

test('values that do not repeat do not drive out for long the ones that do', () => {
  const known = new KnownValues()
  const read = (value: string): boolean => {
    const bytes = Buffer.from(`${value}\r\n`)
    const found = known.at(viewOf(bytes), 0, bytes.length)
    if (found === undefined) known.add(value)
    return found !== undefined
  }
  let [again, asked] = [0, 0]
  for (let at = 0; at < 1_000; at++) {
    read(`once-${at}`)
    asked += 1
    if (read('always')) again += 1
  }
  assert.ok(again > asked / 2, `${again} of ${asked}`)
})

test.run()
