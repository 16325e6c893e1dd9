import type { Named } from '../../cep/aggregate/aggregator.js'
import { compileAggregate, type AggregateOptions } from '../../cep/aggregate/compile-aggregate.js'
import { compilePattern } from '../../cep/compile-pattern.js'
import { compileCorrelate, type CorrelateOptions } from '../../cep/correlate/compile-correlate.js'
import { compileIntervalJoin, type IntervalJoinOptions } from '../../cep/correlate/compile-interval-join.js'
import { compileDetect, type DetectOptions } from '../../cep/detect/compile-detect.js'
import type { Executable } from '../../cep/engine/executor.js'
import type { Pattern } from '../../cep/pattern/pattern.js'

/** What all operators with an engine take. */
export interface EngineOptions<E> {
  /** What events are told apart by, within the key of the pipeline; it is the key of the matches. Default nothing, ''. */
  readonly by?: (event: E) => string
}

/** What each operator looks for: described, or compiled already. */
export type PatternInput = Pattern | Executable
export type CorrelateInput = CorrelateOptions | Executable
export type IntervalJoinInput = IntervalJoinOptions | Executable
export type AggregateInput<Values extends Named = Named> = AggregateOptions<Values> | Executable

export type DetectInput = DetectOptions | Executable

export const patternOf = once((pattern: Pattern) => compilePattern(pattern))
export const correlationOf = once(compileCorrelate)
export const intervalJoinOf = once(compileIntervalJoin)
export const detectionOf = once(compileDetect)
export const aggregationOf = once((options: AggregateOptions) => compileAggregate(options))

/** A pipeline is put together for each key: what is described outside of it is compiled only once. */
function once<What extends object>(compile: (what: What) => Executable): (what: What | Executable) => Executable {
  const known = new WeakMap<object, Executable>()
  return (what) => {
    if ('start' in what && typeof what.start === 'function') return what as Executable
    let executable = known.get(what)
    if (executable === undefined) known.set(what, (executable = compile(what as What)))
    return executable
  }
}
