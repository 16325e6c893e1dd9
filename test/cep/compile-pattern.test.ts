import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePattern } from '../../src/cep/compile-pattern.ts'
import type { Pattern, TakeStage } from '../../src/cep/pattern/pattern.ts'
import { isFault } from '../../src/error/millrace-error.ts'

const test = suite('compile-pattern')

const stage = (name: string, more: Partial<TakeStage> = {}): TakeStage => ({
  kind: 'take',
  name,
  events: [name],
  ...more,
})
const pattern = (more: Partial<Pattern>, ...stages: TakeStage[]): Pattern => ({ stages, within: 10, ...more })
const isRunSets = (made: Pattern) => compilePattern(made).signature.startsWith('["run-sets"')

test('patterns whose partial matches multiply run as run sets', () => {
  assert.ok(isRunSets(pattern({}, stage('a'), stage('b', { contiguity: 'any' }))))
  assert.ok(isRunSets(pattern({}, stage('a', { times: { min: 1, max: null } }), stage('b'))))
  assert.ok(isRunSets(pattern({}, stage('a', { times: { min: 2, max: 3 }, inner: 'any' }))))
})

test('other patterns run flat: nothing multiplies, or run sets cannot run them', () => {
  const any = stage('b', { contiguity: 'any' })
  assert.not(isRunSets(pattern({}, stage('a'), stage('b'))))
  assert.not(isRunSets(pattern({ skip: { type: 'next' } }, stage('a'), any)))
  assert.not(isRunSets(pattern({ policies: { partialMatchesPerKey: 'fail' } }, stage('a'), any)))
  assert.not(isRunSets(pattern({}, stage('a'), { ...any, where: () => true })), 'reads what was taken before')
  assert.ok(isRunSets(pattern({}, stage('a'), { ...any, where: () => true, local: true })))
  assert.not(isRunSets(pattern({}, stage('a'), { ...any, withinPrev: 5 })))
  const [a, not] = [stage('a'), { kind: 'not' as const, events: ['n'], contiguity: 'relaxed' as const }]
  assert.not(isRunSets({ stages: [a, not, any], within: 10 }))
  const { within: _, ...endless } = pattern({ bounds: { partialMatchesPerKey: 5 } }, stage('a'), any)
  assert.not(isRunSets(endless))
})

test('an executor can be asked for, and says when it cannot run the pattern', () => {
  const made = pattern({}, stage('a'), stage('b', { contiguity: 'any' }))
  assert.not(compilePattern(made, { executor: 'flat' }).signature.startsWith('["run-sets"'))
  assert.throws(
    () => compilePattern({ ...made, skip: { type: 'next' } }, { executor: 'run-sets' }),
    (error: unknown) => isFault(error, 'PATTERN_INVALID'),
  )
})

test.run()
