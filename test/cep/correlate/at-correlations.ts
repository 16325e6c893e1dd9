// Correlations at work on small random inputs.
import * as fc from 'fast-check'
import type { Advance, EngineInput } from '../../../src/cep/engine/advance.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { EngineSnapshot } from '../../../src/cep/engine/engine-snapshot.ts'
import type { Executable } from '../../../src/cep/engine/executor.ts'
import type { Match } from '../../../src/cep/engine/match.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'

/** An event with its key; a number: time passes to there. */
export type Step = { readonly event: StoredEvent; readonly key: string } | number

export const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 50 })),
      fc.constantFrom('a', 'b', 'c', 'other', undefined),
      fc.constantFrom('k', 'l'),
      fc.nat(4),
    ),
    { maxLength: 50 },
  )
  .map((all) => {
    let time = 1_000
    return all.map(([passed, type, key, data], at) => {
      time += passed
      return type === undefined ? time : { event: storedEvent({ type, time, id: `e${at}`, data }), key }
    })
  })

export function inputOf(step: Step): EngineInput {
  return typeof step === 'number' ? { kind: 'time', time: step } : { kind: 'event', ...step }
}

/** What each step brought, as JSON has it. @param crash the engine is made anew from its snapshot after each step */
export function advances(executable: Executable, all: readonly Step[], { crash = false } = {}): Advance[] {
  let engine = createEngine(executable)
  return all.map((step) => {
    const advance = engine.advance(inputOf(step))
    if (crash) {
      void engine.due // looking makes no difference
      engine = createEngine(executable, JSON.parse(JSON.stringify(engine.snapshot())) as EngineSnapshot)
    }
    return JSON.parse(JSON.stringify(advance)) as Advance
  })
}

/** `due` is exact, and whoever moves time from one to the next finds the same. */
export function stepByStep(executable: Executable, all: readonly Step[], fail: (why: string) => void): Match[][] {
  const engine = createEngine(executable)
  return all.map((step) => {
    const found: Match[] = []
    const time = typeof step === 'number' ? step : step.event.time
    while (engine.due <= time) {
      const { due } = engine
      if (engine.advance({ kind: 'time', time: due - 0.5 }).matches.length > 0) fail(`before ${due}`)
      const { matches } = engine.advance({ kind: 'time', time: due })
      if (matches.length === 0 || engine.due <= due) fail(`at ${due}`)
      found.push(...matches)
    }
    return [...found, ...engine.advance(inputOf(step)).matches]
  })
}

/** A match in a line: what, when, which events. */
export function lineOf({ key, time, stages, values }: Match): string {
  const sides = Object.entries(stages).map(([name, events]) => `${name}:${events.map(({ id }) => id).join('+')}`)
  return `${String(time).padStart(8, '0')} ${key} ${String(values?.['outcome'])} ${sides.sort().join(' ')}`
}
