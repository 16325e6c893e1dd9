import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import { engineOf, not, take } from './engine-of.ts'

const test = suite('explain flat runs')

const brief = (pattern: Pattern, ...events: string[]) => {
  const made = engineOf(pattern)
  for (const text of events) made.send(text)
  const told = made.ended.map(({ partial, reason, time }) => {
    const { kind, ...more } = reason as { kind: string; event?: { id: string } }
    const rest = Object.values(more).map((each) => (typeof each === 'string' ? each : each.id))
    return [partial.taken.map(({ event }) => event.id).join(' '), kind, ...rest, `@${time}`].join(' ')
  })
  return { ...made, told }
}

for (const compat of [{}, { compat: 'flink' as const }]) {
  const as = compat.compat ?? 'default'

  test(`${as}: each partial match says what it took, what it waits for and until when, oldest first`, () => {
    const stages = [take('a'), take('b', { optional: true }), take('c')]
    const { engine } = brief({ stages, within: 10, ...compat }, 'a@1', 'b@2', 'a@3')
    const partials = engine.partials('k') ?? []
    const own = partials.map(({ key, taken, waitsFor, until }) => [
      key,
      taken.map(({ stage, event }) => `${stage}=${event.id}`).join(' '),
      waitsFor.join(),
      until,
    ])
    assert.ok(own.some(([, taken, waits, until]) => taken === 'a=a@1 b=b@2' && waits === 'c' && until === 11))
    assert.equal(own.at(-1), ['k', 'a=a@3', 'b,c', 13])
    assert.equal(engine.partials('nobody'), [])
  })

  test(`${as}: every end is told with its reason and time`, () => {
    const ab = [take('a'), take('b')]
    assert.equal(brief({ stages: ab, within: 10, ...compat }, 'a@1', 'b@20').told, ['a@1 window @11'])
    const forbidden = { stages: [take('a'), not('x', 'relaxed', { name: 'no x' }), take('b')], within: 10, ...compat }
    assert.equal(brief(forbidden, 'a@1', 'x@2').told, ['a@1 forbidden no x x@2 @2'])
    const strict = { stages: [take('a'), take('b', { contiguity: 'strict' })], events: ['x'], within: 10, ...compat }
    assert.equal(brief(strict, 'a@1', 'x@2').told, ['a@1 not-next x@2 @2'])
    const skip = {
      stages: [take('a'), take('b'), take('c', { contiguity: 'any' })],
      within: 10,
      skip: { type: 'next' as const },
    }
    assert.ok(brief({ ...skip, ...compat }, 'a@1', 'b@2', 'c@3').told.every((line) => line.includes('skipped')))
    const bounds = { partialMatchesPerKey: 1 }
    assert.equal(brief({ stages: ab, within: 10, bounds, ...compat }, 'a@1', 'a@2').told, [
      'a@1 bound partialMatchesPerKey @2',
    ])
  })
}

test('a final not says that it waits for the window to close; a strict one, for an event that is another', () => {
  const relaxed = engineOf({ stages: [take('a'), not('b')], within: 10 })
  relaxed.send('a@1')
  assert.equal(relaxed.engine.partials('k')?.[0]?.waitsFor, ['the window to close without b'])
  const strict = engineOf({ stages: [take('a'), not('b', 'strict')], within: 10 })
  strict.send('a@1')
  assert.equal(strict.engine.partials('k')?.[0]?.waitsFor, ['an event that is not b'])
})

test('what comes to a match has not ended', () => {
  assert.equal(brief({ stages: [take('a'), take('b')], within: 10 }, 'a@1', 'b@2').told, [])
})

test.run()
