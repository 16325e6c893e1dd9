// Aggregations at work on small random inputs.
import * as fc from 'fast-check'
import type { Advance, EngineInput } from '../../../src/cep/engine/advance.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { EngineSnapshot } from '../../../src/cep/engine/engine-snapshot.ts'
import type { Executable } from '../../../src/cep/engine/executor.ts'
import type { Match } from '../../../src/cep/engine/match.ts'
import type { WindowValues } from '../../../src/cep/aggregate/window-plan.ts'
import { storedEvent } from '../stored-event.ts'

/** An event: time, key, value. Without a key: only time passes. */
export type Tick = readonly [time: number, key: string | undefined, value: number]

export function inputOf([time, key, value]: Tick, at: number): EngineInput {
  if (key === undefined) return { kind: 'time', time }
  return { kind: 'event', event: storedEvent({ type: 'a', time, id: `e${at}`, data: value }), key }
}

/** In order of time. */
export const inOrder: fc.Arbitrary<Tick[]> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 70 })),
      fc.constantFrom('a', 'b', 'c', undefined),
      fc.integer({ min: -5, max: 20 }),
    ),
    { maxLength: 50 },
  )
  .map((steps) => {
    let time = 1_000
    return steps.map(([passed, key, value]) => [(time += passed), key, value] as const)
  })

/** Any order. */
export const disorder: fc.Arbitrary<Tick[]> = fc
  .tuple(inOrder, fc.array(fc.nat(40), { minLength: 50, maxLength: 50 }))
  .map(([ticks, back]) => ticks.map(([time, key, value], at) => [time - (back[at] ?? 0), key, value] as const))

/** What each input brought. @param crash the engine is made anew from its snapshot after each input */
export function advances(executable: Executable, ticks: readonly Tick[], { crash = false } = {}): Advance[] {
  let engine = createEngine(executable)
  return ticks.map((tick, at) => {
    const advance = engine.advance(inputOf(tick, at))
    if (crash) {
      void engine.due // looking makes no difference
      engine = createEngine(executable, JSON.parse(JSON.stringify(engine.snapshot())) as EngineSnapshot)
    }
    return JSON.parse(JSON.stringify(advance)) as Advance // an event from a snapshot has no members that are undefined
  })
}

export interface Result {
  readonly key: string
  readonly time: number
  readonly first: number
  readonly last: number
  readonly values: WindowValues
}

export function resultOf({ key, time, first, last, values }: Match): Result {
  return { key, time, first: first.time, last: last.time, values: values as WindowValues }
}

/** In one order, whatever the order in which keys began. */
export function sorted(results: readonly Result[]): Result[] {
  const rank = ({ time, key, values }: Result) =>
    `${String(time).padStart(9, '0')} ${key} ${String(values.end).padStart(9, '0')}`
  return [...results].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
}
