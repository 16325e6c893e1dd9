import type { StoredEvent } from '../../event/event.js'
import type { Executable } from '../engine/executor.js'
import type { Match, Timeout } from '../engine/match.js'
import type { Pattern } from './pattern.js'
import { typedStages, type Shapes, type TypedFound } from './stage-shape.js'

/** A match whose handler knows which stage is one event and which is a list. */
export type TypedMatch<S extends Shapes> = TypedFound<Match, S>
/** A partial match that ran out of time: any stage may be missing. */
export type TypedTimeout<S extends Shapes> = TypedFound<Timeout, S, false>

/** A pattern that was written with `pattern()` or `algebra`, ready to run. */
export interface TypedPattern<S extends Shapes, Data = Pattern> {
  /** As data. */
  readonly pattern: Data
  /** For `createEngine`. */
  readonly executable: Executable
  /** What belongs together; undefined: the pattern does not say. */
  readonly keyOf: ((event: StoredEvent) => string | undefined) | undefined
  /** A match of this pattern, its events by stage as the pattern says. */
  match(match: Match): TypedMatch<S>
  timeout(timeout: Timeout): TypedTimeout<S>
}

/** @param many stages that may take several events */
export function typedPattern<S extends Shapes, Data>(
  pattern: Data,
  executable: Executable,
  keyOf: TypedPattern<S, Data>['keyOf'],
  many: ReadonlySet<string>,
): TypedPattern<S, Data> {
  return {
    pattern,
    executable,
    keyOf,
    match: (match) => ({ ...match, stages: typedStages(match.stages, many) as TypedMatch<S>['stages'] }),
    timeout: (timeout) => ({ ...timeout, stages: typedStages(timeout.stages, many) as TypedTimeout<S>['stages'] }),
  }
}
