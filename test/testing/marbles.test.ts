// Diagrams are read as RxJS’ TestScheduler reads them in run mode: compared with it, and what it does not take.
import * as fc from 'fast-check'
import { TestScheduler } from 'rxjs/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { parseMarbles } from '../../src/testing/marbles.ts'

const test = suite('marbles')

/** What RxJS makes of a diagram: time and name of each value, the end and the failure. */
function rxMarbles(text: string): [number, string][] {
  const factor = TestScheduler.frameTimeFactor
  TestScheduler.frameTimeFactor = 1
  try {
    return TestScheduler.parseMarbles(text, undefined, undefined, undefined, true).map(
      ({ frame, notification }): [number, string] => {
        if (notification.kind === 'N') return [frame, String(notification.value)]
        return [frame, notification.kind === 'C' ? '|' : '#']
      },
    )
  } finally {
    TestScheduler.frameTimeFactor = factor
  }
}

function ourMarbles(text: string): [number, string][] {
  return parseMarbles(text).marbles.map((marble) => {
    const name = marble.kind === 'value' ? marble.name : marble.kind === 'end' ? '|' : '#'
    return [marble.at, name]
  })
}

const piece = fc.oneof(
  fc.constantFrom('-', '--', '---------', 'a', 'b', 'z', '5', ' ', '(ab)', '(a-b)', '(c)', '|', '#', '(x|)'),
  fc.constantFrom(' 10ms ', ' 60s ', ' 2m ', ' 1.5s '),
)

test('they mean what they mean in RxJS', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      assert.equal(ourMarbles(text), rxMarbles(text), text)
    }),
    { numRuns: 500 },
  )
})

test('a span of time may also end a diagram, and be of hours or days', () => {
  assert.equal(parseMarbles('a 1h'), { marbles: [{ kind: 'value', at: 0, name: 'a' }], length: 3_600_001 })
  assert.is(parseMarbles('1d').length, 86_400_000)
  assert.is(parseMarbles('').length, 0)
})

test('what is no diagram is refused, with the place', () => {
  const cases: readonly [string, RegExp][] = [
    ['a^b', /"a\^b", at 2: "\^" is no marble/],
    ['--!', /at 3: "!" is no marble/],
    ['(a(b))', /at 3: groups are not nested/],
    ['a)', /at 2: no group is open/],
    ['(ab', /at 4: a group is not closed/],
    ['(a 5ms b)', /at 4: a group has no time in it/],
  ]
  for (const [text, expected] of cases)
    try {
      parseMarbles(text)
      assert.unreachable(text)
    } catch (error) {
      assert.ok(isFault(error, 'TEST_INVALID'), String(error))
      assert.match(error.detail, expected)
    }
})

test.run()
