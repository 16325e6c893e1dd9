// Feeds the entries of a case to an engine and writes down what comes of it.
import type { Advance, EngineInput } from '../src/cep/engine/advance.ts'
import { createEngine } from '../src/cep/engine/engine.ts'
import type { EngineSnapshot } from '../src/cep/engine/engine-snapshot.ts'
import type { Executable } from '../src/cep/engine/executor.ts'
import type { Found } from '../src/cep/engine/match.ts'
import { messageOf } from '../src/error/millrace-error.ts'
import type { StoredEvent } from '../src/event/event.ts'
import type { Case, CaseEvent, Ids, Outcome, RunOptions } from './case.ts'

/** Runs a case through what `compile` makes of it. */
export function runExecutable(
  compile: () => Executable,
  given: Case,
  { restoreAfter }: RunOptions,
  keyOf: (event: CaseEvent) => string,
): Outcome {
  const outcome = {
    matches: [] as Ids[],
    at: [] as number[],
    timeouts: [] as Outcome['timeouts'][number][],
    late: [] as string[],
  }
  let phase: 'compile' | 'run' = 'compile'
  const note = ({ matches, timeouts, late }: Advance, at: number) => {
    for (const match of matches) {
      outcome.matches.push(idsOf(match))
      outcome.at.push(at)
    }
    for (const timeout of timeouts)
      for (let n = 0; n < timeout.ways; n++) outcome.timeouts.push({ match: idsOf(timeout), ts: timeout.time })
    outcome.late.push(...late.map((event) => event.id))
  }
  try {
    const executable = compile()
    phase = 'run'
    let engine = createEngine(executable)
    for (const [at, entry] of given.events.entries()) {
      note(engine.advance(inputOf(entry, keyOf)), at)
      if (restoreAfter(at) || given.snapshotAfter?.includes(at) === true)
        engine = createEngine(executable, JSON.parse(JSON.stringify(engine.snapshot())) as EngineSnapshot)
    }
    return outcome
  } catch (error) {
    // Cases expect errors: it is for the comparison to say whether this one.
    return { ...outcome, error: { phase, message: messageOf(error) } }
  }
}

function inputOf(entry: Case['events'][number], keyOf: (event: CaseEvent) => string): EngineInput {
  if ('wm' in entry) return { kind: 'time', time: entry['wm'] as number }
  return { kind: 'event', key: keyOf(entry), event: storedEvent(entry) }
}

function storedEvent({ id, ts, ...data }: CaseEvent): StoredEvent {
  return {
    id,
    source: '/conformance',
    version: 1,
    type: typeof data['name'] === 'string' ? data['name'] : 'event',
    time: ts,
    key: undefined,
    data,
    correlationId: undefined,
    causationId: undefined,
    attributes: {},
    stream: 'CASES',
    sequence: 1,
    storedAt: ts,
  }
}

function idsOf(found: Found): Ids {
  return Object.fromEntries(Object.entries(found.stages).map(([name, events]) => [name, events.map((e) => e.id)]))
}
