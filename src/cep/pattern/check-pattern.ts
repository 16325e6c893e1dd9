import type { Pattern, Stage, TakeStage } from './pattern.js'

/** Conditions of one pattern are bits of one number. */
export const MOST_CONDITIONS = 30
/** Repetitions become places in the compiled table. */
export const MOST_TIMES = 10_000

/** What is wrong with a pattern, as sentences; nothing when it can be compiled. */
export function patternFaults(pattern: Pattern): string[] {
  const faults: string[] = []
  const names = new Set<string>()
  let before: Stage | undefined
  for (const stage of pattern.stages) {
    if (stage.kind === 'not') faults.push(...notFaults(stage, before))
    else {
      if (names.has(stage.name)) faults.push(`two stages are called ${stage.name}`)
      names.add(stage.name)
      faults.push(...takeFaults(stage, before))
    }
    before = stage
  }
  if (names.size === 0) faults.push('no stage takes an event')
  faults.push(...boundFaults(pattern))
  const { skip } = pattern
  if (skip !== undefined && 'stage' in skip && !names.has(skip.stage))
    faults.push(`skip names ${skip.stage}, which is not a stage that takes events`)
  for (const { stage, text } of pattern.aggregates ?? [])
    if (!names.has(stage)) faults.push(`${text} is about ${stage}, which is not a stage that takes events`)
  const conditions = pattern.stages.reduce((n, s) => n + (s.kind === 'take' && s.until !== undefined ? 2 : 1), 0)
  if (conditions > MOST_CONDITIONS) faults.push(`${conditions} conditions; at most ${MOST_CONDITIONS} are possible`)
  return faults
}

function notFaults(stage: Stage, before: Stage | undefined): string[] {
  const faults: string[] = []
  if (before === undefined) faults.push('a pattern cannot begin with not')
  else if (before.kind === 'take' && before.optional === true)
    faults.push(`not cannot follow the optional stage ${before.name}`)
  else if (before.kind === 'not' && before.contiguity !== stage.contiguity)
    faults.push('two nots in a row must both be strict or both be relaxed')
  for (const field of ['times', 'optional', 'greedy', 'until'])
    if (field in stage) faults.push(`not cannot have ${field}`)
  return faults
}

function takeFaults(stage: TakeStage, before: Stage | undefined): string[] {
  const faults: string[] = []
  const { min, max } = stage.times ?? { min: 1, max: 1 }
  const loops = max === null || max > 1
  if (!Number.isInteger(min) || min < 1)
    faults.push(`${stage.name}: times must be a whole number from 1 up (none at all is optional)`)
  if (max !== null && (!Number.isInteger(max) || max < min)) faults.push(`${stage.name}: times ends before it begins`)
  if (Math.max(min, max ?? 0) > MOST_TIMES) faults.push(`${stage.name}: times goes up to ${MOST_TIMES}`)
  if (stage.until !== undefined && max !== null) faults.push(`${stage.name}: until needs times without an upper limit`)
  if (stage.greedy === true && !loops) faults.push(`${stage.name}: greedy needs more than one time`)
  if (stage.greedy === true && (stage.contiguity === 'any' || stage.inner === 'any'))
    faults.push(`${stage.name}: greedy cannot go with any`)
  if (stage.optional === true && before?.kind === 'take' && before.greedy === true)
    faults.push(`${stage.name}: an optional stage cannot follow the greedy stage ${before.name}`)
  return faults
}

function boundFaults({ within, bounds, stages, lateness = 0, grace = 0 }: Pattern): string[] {
  const faults: string[] = []
  const last = stages.at(-1)
  if (within !== undefined && !(within > 0 && Number.isFinite(within)))
    faults.push('within must be a number of milliseconds above 0')
  if (within === undefined && last?.kind === 'not' && last.contiguity === 'relaxed')
    faults.push('a pattern that ends in not needs within: its match comes when the window closes')
  else if (within === undefined && bounds?.partialMatchesPerKey === undefined)
    faults.push('within is missing: without a window, state would grow for ever')
  if (!(lateness >= 0)) faults.push('lateness must be a number of milliseconds, 0 or more')
  if (!(grace >= 0 && Number.isFinite(grace))) faults.push('grace must be a number of milliseconds, 0 or more')
  for (const [name, value] of Object.entries(bounds ?? {}))
    if (!(Number.isInteger(value) && value > 0)) faults.push(`${name} must be a whole number above 0`)
  return faults
}
