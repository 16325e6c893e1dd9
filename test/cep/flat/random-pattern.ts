// Random patterns with everything in combination: groups in groups, optional, until, greedy, nots, skip strategies.
import * as fc from 'fast-check'
import { patternFaults } from '../../../src/cep/pattern/check-pattern.ts'
import type { GroupStage, NotStage, Pattern, Skip, Stage, TakeStage } from '../../../src/cep/pattern/pattern.ts'
import { storedEvent } from '../stored-event.ts'

const TYPES = ['a', 'b', 'c', 'x']
const types = fc.constantFrom(['a'], ['b'], ['c'], ['a', 'b'], ['b', 'c'])
const contiguity = fc.constantFrom('strict' as const, 'relaxed' as const, 'relaxed' as const, 'any' as const)
const times = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  { min: 1, max: 1 },
  { min: 2, max: 2 },
  { min: 1, max: 2 },
  { min: 2, max: 3 },
  { min: 1, max: null },
  { min: 2, max: null },
)
const repetition = { contiguity, times, inner: contiguity, optional: fc.constantFrom(false, false, true) }
const take = fc.record({ kind: fc.constant('take'), events: types, ends: types, greedy: fc.boolean(), ...repetition })
const not = fc.record({
  kind: fc.constant('not'),
  events: types,
  contiguity: fc.constantFrom('strict' as const, 'relaxed' as const),
})
type Drawn = { readonly kind: string; readonly stages?: readonly Drawn[]; readonly [field: string]: unknown }

const { stages } = fc.letrec<{ stages: Drawn[]; group: Drawn }>((tie) => ({
  stages: fc.array(
    fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      { weight: 6, arbitrary: take as fc.Arbitrary<Drawn> },
      { weight: 2, arbitrary: not as fc.Arbitrary<Drawn> },
      { weight: 2, arbitrary: tie('group') },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  group: fc.record({ kind: fc.constant('group'), ends: types, ...repetition, stages: tie('stages') }),
}))
const skip = fc.constantFrom<Skip['type']>('none', 'none', 'none', 'next', 'past-last')

/** Whatever was drawn, as far as it is a pattern. */
export const anyPattern: fc.Arbitrary<Pattern> = fc
  .record({ stages, within: fc.integer({ min: 2, max: 14 }), skip, until: fc.boolean() })
  .map(({ stages, within, skip, until }): Pattern => {
    const names = { next: 0 }
    return {
      stages: stages.map((drawn) => stageOf(drawn, names, until)),
      within,
      skip: { type: skip } as Skip,
      events: TYPES,
      bounds: { partialMatchesPerKey: 1_000_000, matchesPerAdvance: 1_000_000 },
    }
  })
  .filter((pattern) => patternFaults(pattern).length === 0)

function stageOf(drawn: Drawn, names: { next: number }, until: boolean): Stage {
  const { ends, greedy, times, ...rest } = drawn
  if (drawn.kind === 'not') return rest as unknown as NotStage
  const loops = (times as { max: number | null } | undefined)?.max === null
  const more = {
    ...(times === undefined ? {} : { times }),
    ...(loops && until ? { until: { events: ends as string[] } } : {}),
  }
  if (drawn.kind === 'group')
    return {
      ...rest,
      ...more,
      stages: drawn.stages?.map((each) => stageOf(each, names, until)),
    } as unknown as GroupStage
  const name = `s${names.next++}`
  return {
    ...rest,
    ...more,
    name,
    ...(greedy === true && times !== undefined ? { greedy } : {}),
  } as unknown as TakeStage
}

/** Events of one key, and time passing in the end. */
export const anyEvents = fc
  .array(fc.record({ type: fc.constantFrom(...TYPES), later: fc.integer({ min: 0, max: 3 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((list) => {
    let time = 0
    return list.map(({ type, later }, at) => {
      time += later
      return { kind: 'event' as const, key: 'k', event: storedEvent({ type, id: `${type}${at}`, time }) }
    })
  })
