// Random patterns that both executors can run, and events for them.
import * as fc from 'fast-check'
import type { Advance } from '../../../src/cep/engine/advance.ts'
import type { Found } from '../../../src/cep/engine/match.ts'
import type { Pattern, Stage } from '../../../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'

const types = fc.constantFrom(['a'], ['b'], ['c'], ['a', 'b'], ['b', 'c'], [])
const contiguity = fc.constantFrom('strict' as const, 'relaxed' as const, 'any' as const, 'any' as const)
const times = fc.constantFrom(
  { min: 1, max: 1 },
  { min: 1, max: 1 },
  { min: 2, max: 2 },
  { min: 1, max: 2 },
  { min: 2, max: 3 },
  { min: 1, max: null },
  { min: 2, max: null },
)
const large = (event: StoredEvent) => (event.data as { n: number }).n > 3
const until = { events: ['x'], where: large, local: true }
const takeStage = fc.record({
  kind: fc.constant('take' as const),
  events: types,
  contiguity,
  inner: contiguity,
  times,
  optional: fc.constantFrom(false, false, true),
  ends: fc.boolean(),
  where: fc.constantFrom(undefined, undefined, large),
})

export const eligible = fc
  .tuple(fc.array(takeStage, { minLength: 1, maxLength: 4 }), fc.integer({ min: 2, max: 14 }))
  .map(([list, within]): Pattern => {
    const stages = list.map(({ ends, where, ...stage }, at): Stage => {
      const named = { ...stage, name: `s${at}`, ...(where === undefined ? {} : { where, local: true }) }
      return ends && stage.times.max === null ? { ...named, until } : named
    })
    return { stages, within, events: ['a', 'b', 'c', 'x'], bounds: { partialMatchesPerKey: 1_000_000 } }
  })

export const keyedEvents = fc
  .array(
    fc.record({
      type: fc.constantFrom('a', 'b', 'c', 'x', 'unseen'),
      later: fc.integer({ min: 0, max: 3 }),
      key: fc.constantFrom('k', 'k', 'l'),
      n: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((list) => {
    let time = 0
    return list.map(({ type, later, key, n }, at) => {
      time += later
      return { kind: 'event' as const, key, event: storedEvent({ type, id: `${type}${at}`, time, data: { n } }) }
    })
  })

const describe = ({ key, stages, time, first, last, events }: Found) =>
  `${key} ${Object.entries(stages)
    .map(([name, list]) => `${name}:${list.map((e) => e.id).join(',')}`)
    .join(' ')} @${time} ${first.id}-${last.id} ${events.length}`

/** What an advance brought, in order. */
export const told = ({ matches, timeouts, late }: Advance) => ({
  matches: matches.map(describe),
  timeouts: timeouts.map((timeout) => `${describe(timeout)} x${timeout.ways}`),
  late: late.map((event) => event.id),
})
