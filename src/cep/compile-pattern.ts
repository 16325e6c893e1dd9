import type { Begin, Executable } from './engine/executor.js'
import { compilePattern as compileFlat } from './flat/compile-pattern.js'
import { matchingStages, type Matcher, type Pattern, type Stage } from './pattern/pattern.js'
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
export function compilePattern(pattern: Pattern, options: CompileOptions = {}): Executable {
  const { executor } = options
  const runSets = executor === undefined ? fitsRunSets(pattern) && paysInRunSets(pattern) : executor === 'run-sets'
  return {
    ...(runSets ? compileRunSets(pattern) : compileFlat(pattern)),
    begins: beginsOf(pattern.stages),
    ...(isPlain(pattern.stages) ? { concerns: matchingStages(pattern.stages).map(beginOf) } : {}),
    withConditions: (change) => compilePattern({ ...pattern, stages: changed(pattern.stages, change) }, options),
  }
}

/**
 * Whether a partial match waits for one thing at a time, however many events lie between. Only then does an event that
 * satisfies nothing leave no trace: elsewhere it ends what is strict, and shows in how many ways a match could go on.
 */
function isPlain(stages: readonly Stage[]): boolean {
  return stages.every((stage, at) => {
    if (stage.kind === 'group' || stage.withinPrev !== undefined) return false
    if (stage.contiguity === 'strict' && at > 0) return false
    if (stage.kind === 'not') return true
    const { min, max } = stage.times ?? { min: 1, max: 1 }
    return min === 1 && max === 1 && stage.optional !== true && stage.timesWindow === undefined
  })
}

/** The conditions of every stage that can take the first event. */
function beginsOf(stages: readonly Stage[]): Begin[] {
  const begins: Begin[] = []
  for (const stage of stages) {
    if (stage.kind === 'take') begins.push(beginOf(stage))
    if (stage.kind === 'group') begins.push(...beginsOf(stage.stages))
    if (!canBeLeftOut(stage)) break
  }
  return begins
}

function beginOf({ events, equals = [], thresholds = [], where, local }: Matcher): Begin {
  if (where === undefined || local !== true) return { events, equals, thresholds, where: undefined }
  return { events, equals, thresholds, where: (event, key) => where(event, NOTHING, key) }
}

const NOTHING: readonly unknown[] = []

function canBeLeftOut(stage: Stage): boolean {
  if (stage.kind === 'not' || stage.optional === true) return true
  return stage.kind === 'group' && stage.stages.every(canBeLeftOut)
}

/** Stages with other conditions that say the same. */
function changed(stages: readonly Stage[], change: (matcher: Matcher) => Matcher): Stage[] {
  return stages.map((stage): Stage => {
    if (stage.kind === 'not') return { ...stage, ...change(stage) }
    const until = stage.until === undefined ? {} : { until: change(stage.until) }
    return stage.kind === 'group'
      ? { ...stage, stages: changed(stage.stages, change), ...until }
      : { ...stage, ...change(stage), ...until }
  })
}
