// What Millrace does where Flink surprises, and that compat does what Flink does. Rows of docs/flink.md.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import type { Pattern } from '../../../src/cep/pattern/pattern.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { engineOf, ids, not, take } from './engine-of.ts'

const test = suite('quirks')

const flink = (pattern: Pattern): Pattern => ({ ...pattern, compat: 'flink' })
const seen = { events: ['a', 'b', 'c', 'd', 'x'], within: 100 }

test('a match is put out as soon as it is certain; with holdback, and as Flink, when nothing older can rule it out', () => {
  const pattern: Pattern = {
    ...seen,
    stages: [take('a'), take('b', { where: (_: unknown, b: readonly unknown[]) => b[0] === 1 })],
    within: 10,
    skip: { type: 'past-last' },
    aggregates: [{ stage: 'a', text: 'n', initial: 0, add: (_, e) => (e.data as { n: number }).n }],
  }
  for (const [made, expected] of [
    [pattern, ['a@2 b@3', '']],
    [{ ...pattern, holdback: true }, ['', 'a@2 b@3']],
    [flink(pattern), ['', 'a@2 b@3']],
  ] as const) {
    const { send, pass, engine } = engineOf(made)
    send('a@1', 'k', { n: 0 })
    send('a@2', 'k', { n: 1 })
    assert.is(ids(send('b@3').matches).join(), expected[0])
    assert.is(engine.due, expected[0] === '' ? 11 : Infinity, 'time lets it go')
    assert.is(ids(pass(11).matches).join(), expected[1])
  }
})

test('the window between repetitions holds for every gap between them; as Flink, for none but the first', () => {
  const three: Pattern = { ...seen, stages: [take('a', { times: { min: 3, max: 3 }, timesWindow: 3 })] }
  const many: Pattern = { ...seen, stages: [take('a', { times: { min: 1, max: null }, timesWindow: 3 }), take('b')] }
  assert.equal(engineOf(three).found('a@1 a@2 a@10'), [])
  assert.equal(engineOf(flink(three)).found('a@1 a@2 a@10'), ['a@1 a@2 a@10'])
  assert.equal(engineOf(three).found('a@1 a@3 a@5'), ['a@1 a@3 a@5'])
  assert.equal(engineOf(many).found('a@1 a@3 a@7 b@8').sort(), ['a@1 a@3 b@8', 'a@1 b@8', 'a@3 b@8', 'a@7 b@8'])
})

test('the window to the event before closes the way to its stage only, and holds for every repetition', () => {
  const optional: Pattern = {
    ...seen,
    stages: [take('a'), take('b', { optional: true, withinPrev: 3 }), take('c')],
  }
  for (const [list, ours, theirs] of [
    ['a@1 c@10', ['a@1 c@10'], []],
    ['a@1 x@2 c@10', ['a@1 c@10'], ['a@1 c@10']],
    ['a@1 b@4 c@5', ['a@1 c@5'], []],
    ['a@1 b@3 c@5', ['a@1 b@3 c@5', 'a@1 c@5'], ['a@1 b@3 c@5', 'a@1 c@5']],
  ] as const) {
    assert.equal(engineOf(optional).found(list).sort(), [...ours], list)
    assert.equal(engineOf(flink(optional)).found(list).sort(), [...theirs], `${list} as Flink`)
  }
  const loop: Pattern = { ...seen, stages: [take('a'), take('b', { times: { min: 2, max: 2 }, withinPrev: 3 })] }
  assert.equal(engineOf(loop).found('a@1 b@3 b@6'), [])
  assert.equal(engineOf(flink(loop)).found('a@1 b@3 b@6'), ['a@1 b@3 b@6'])
})

test('when a gap window closes it is a timeout at that time, and state goes; a final not with one is then a match', () => {
  const gap = engineOf({ stages: [take('a'), take('b', { withinPrev: 3 })], events: ['x'] })
  gap.send('a@1')
  const [timeout] = gap.send('x@9', 'other').timeouts
  assert.equal([timeout?.last.id, timeout?.time, gap.engine.stats().keys], ['a@1', 4, 0])
  const absent = engineOf({ stages: [take('a'), not('b', 'relaxed', { withinPrev: 3 })] })
  absent.send('a@1')
  assert.is(absent.engine.due, 4)
  assert.equal(ids(absent.pass(4).matches), ['a@1'])
})

test('a skip target that is not there is an error when that is asked for', () => {
  const stages = [take('a'), take('b', { optional: true }), take('c')]
  const skip = { type: 'to-last', stage: 'b', throwOnMiss: true } as const
  const thrown = (act: () => unknown) => assert.throws(act, (e: unknown) => isFault(e, 'SKIP_TARGET_MISSING'))
  for (const made of [{ ...seen, stages, skip }, flink({ ...seen, stages, skip })])
    thrown(() => engineOf(made).found('a@1 c@2'))
  thrown(() => engineOf({ ...seen, stages, skip: { ...skip, stage: 'a' } }).found('a@1 c@2'))
  assert.equal(engineOf({ ...seen, stages, skip: { type: 'to-last', stage: 'b' } }).found('a@1 c@2'), ['a@1 c@2'])
})

test('events of one time are put in order by orderBy, then by arrival', () => {
  const { send, pass } = engineOf({
    ...seen,
    stages: [take('a'), take('b', { contiguity: 'strict' })],
    lateness: 10,
    orderBy: (event) => (event.data as { n: number }).n,
  })
  send('b@5', 'k', { n: 2 })
  send('x@5', 'k', { n: 3 })
  send('a@5', 'k', { n: 1 })
  assert.equal(ids(pass(5).matches), ['a@5 b@5'])
})

test('what cannot be run is said when it is compiled', () => {
  const group = (more: object, ...stages: Pattern['stages'][number][]) => ({ kind: 'group' as const, stages, ...more })
  const loop = { times: { min: 1, max: null } }
  const faults: readonly (readonly [Omit<Pattern, 'stages'>, Pattern['stages'], RegExp])[] = [
    [seen, [group(loop, take('a', { optional: true }), take('b', { optional: true }))], /not optional/],
    [seen, [take('a'), group({ greedy: true }, take('b'))], /a group cannot be greedy/],
    [seen, [take('a'), group({}, take('b'), not('c'))], /cannot end in not/],
    [seen, [group({}, not('c'), take('b'))], /nor can a group/],
    [seen, [take('a', { ...loop, inner: 'any', greedy: true })], /greedy cannot go with/],
    [seen, [take('a'), take('b', { withinPrev: 101 })], /longer than within/],
    [{ ...seen, skip: { type: 'to-last', stage: 'b' } }, [take('a'), group({}, take('b'))], /outside groups/],
    [{}, [take('a'), take('b')], /within is missing/],
    [{}, [take('a'), take('b', { contiguity: 'strict', ...loop })], /within is missing/],
    [{}, [take('a'), group({ contiguity: 'strict' }, take('b'), take('c'))], /within is missing/],
  ]
  for (const [more, stages, message] of faults)
    assert.throws(
      () => compilePattern({ ...more, stages }),
      (e: unknown) => isFault(e, 'PATTERN_INVALID') && message.test(e.message),
    )
  compilePattern({ stages: [take('a'), take('b', { contiguity: 'strict' }), take('c', { withinPrev: 5 })] })
})

test.run()
