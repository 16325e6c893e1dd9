// Cases of kind stage: a sequence of stages, as Flink's tests have them.
import type { Executable } from '../src/cep/engine/executor.ts'
import { compilePattern } from '../src/cep/compile-pattern.ts'
import type { Contiguity, Matcher, Pattern, Skip, Stage } from '../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../src/event/event.ts'
import type { Case, CaseRunner } from './case.ts'
import { PredicateReader, type Predicate } from './predicate.ts'
import { runExecutable } from './run-executable.ts'

interface CaseStage {
  readonly name?: string
  readonly where?: Predicate
  readonly contiguity?: Contiguity
  readonly not?: true
  readonly times?: { readonly min: number; readonly max: number | null }
  readonly inner?: Contiguity
  readonly optional?: true
  readonly greedy?: true
  readonly until?: Predicate
  readonly withinPrev?: number
  readonly timesWindow?: number
  readonly group?: readonly CaseStage[]
}

export interface StageCase extends Case {
  readonly pattern: { readonly stages: readonly CaseStage[]; readonly within?: number }
  readonly skip?: { readonly type: string; readonly stage?: string; readonly throwOnMiss?: boolean }
  readonly operator?: { readonly keyBy?: string; readonly orderBy?: string }
}

const SKIPS: Readonly<Record<string, string>> = { pastLast: 'past-last', toFirst: 'to-first', toLast: 'to-last' }

/** State of cases is bounded by nothing but their length; bounds are stated because a pattern without a window needs them. */
const BOUNDS = {
  partialMatchesPerKey: 1_000_000,
  partialMatches: 10_000_000,
  keys: 1_000_000,
  matchesPerAdvance: 1_000_000,
}

/** The pattern of a case. */
export function readPattern(given: StageCase, flinkCompatible: boolean): Pattern {
  const reader = new PredicateReader()
  const { operator, pattern, skip } = given
  const orderBy = operator?.orderBy
  return {
    stages: pattern.stages.map((stage) => readStage(stage, reader)),
    ...(pattern.within === undefined ? {} : { within: pattern.within }),
    skip: { ...skip, type: SKIPS[skip?.type ?? 'none'] ?? skip?.type ?? 'none' } as Skip,
    // In operator mode events wait until a watermark passes them; in plain mode the order of the array is what counts.
    lateness: operator === undefined ? 0 : Number.MAX_SAFE_INTEGER,
    grace: operator === undefined ? Number.MAX_SAFE_INTEGER : 0,
    ...(orderBy === undefined
      ? {}
      : { orderBy: (event: StoredEvent) => (event.data as Record<string, number | string>)[orderBy] ?? '' }),
    aggregates: reader.aggregates,
    bounds: BOUNDS,
    ...(flinkCompatible ? { compat: 'flink' as const } : {}),
  }
}

function readStage(given: CaseStage, reader: PredicateReader): Stage {
  const { where = { true: true }, not, until, name, group, ...rest } = given
  const matcher = (predicate: Predicate): Matcher => ({
    events: [],
    where: reader.read(predicate),
    local: PredicateReader.isLocal(predicate),
  })
  const more = until === undefined ? {} : { until: matcher(until) }
  if (group !== undefined)
    return { ...rest, ...more, kind: 'group', stages: group.map((each) => readStage(each, reader)) }
  const own = { ...rest, ...matcher(where), name: name ?? '' }
  if (not === true) return { contiguity: 'relaxed', ...own, kind: 'not' } as Stage
  return { ...own, ...more, kind: 'take' }
}

export const runStageCase: CaseRunner = (given, options) => {
  const stageCase = given as StageCase
  const keyBy = stageCase.operator?.keyBy
  const compile = (): Executable => compilePattern(readPattern(stageCase, options.flinkCompatible))
  return runExecutable(compile, given, options, (event) => String(keyBy === undefined ? '' : event[keyBy]))
}
