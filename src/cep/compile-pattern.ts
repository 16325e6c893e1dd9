import type { Executable } from './engine/executor.js'
import { compilePattern as compileFlat } from './flat/compile-pattern.js'
import type { Pattern } from './pattern/pattern.js'
import { compileRunSets, fitsRunSets, paysInRunSets } from './run-sets/run-sets-pattern.js'

export interface CompileOptions {
  /**
   * What runs the pattern. `flat`: any pattern, partial matches one by one. `run-sets`: patterns whose conditions read
   * the current event only, without a skip strategy, however many partial matches there are. Default: run sets where
   * partial matches could become many and run sets can run it, else flat. What is found is the same, in the same order,
   * as long as no bound drops anything; a snapshot belongs to one of them.
   */
  readonly executor?: 'flat' | 'run-sets'
}

/**
 * Checks a pattern and makes it ready to run: `createEngine` takes the result, any number of times.
 * @throws PATTERN_INVALID with every fault found, also when the executor that was asked for cannot run it
 */
export function compilePattern(pattern: Pattern, { executor }: CompileOptions = {}): Executable {
  const runSets = executor === undefined ? fitsRunSets(pattern) && paysInRunSets(pattern) : executor === 'run-sets'
  return runSets ? compileRunSets(pattern) : compileFlat(pattern)
}
