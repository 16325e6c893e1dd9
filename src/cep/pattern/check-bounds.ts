import type { GroupStage, Pattern, Stage, TakeStage } from './pattern.js'

/** What is wrong with windows, lateness and bounds, as sentences; state that nothing bounds among it. */
export function boundFaults(pattern: Pattern): string[] {
  const { within, bounds, policies, stages, lateness = 0, grace = 0 } = pattern
  const faults: string[] = []
  const last = stages.at(-1)
  if (within !== undefined && !(within > 0 && Number.isFinite(within)))
    faults.push('within must be a number of milliseconds above 0')
  if (last?.kind === 'not' && last.contiguity === 'relaxed' && (last.withinPrev ?? within) === undefined)
    faults.push('a pattern that ends in not needs within: its match comes when the window closes')
  else if (within === undefined && bounds?.partialMatchesPerKey === undefined && !endsByItself(stages, true))
    faults.push('within is missing: without a window, state would grow for ever')
  if (!(lateness >= 0)) faults.push('lateness must be a number of milliseconds, 0 or more')
  if (!(grace >= 0 && Number.isFinite(grace))) faults.push('grace must be a number of milliseconds, 0 or more')
  for (const [name, value] of Object.entries(bounds ?? {}))
    if (!(Number.isInteger(value) && value > 0)) faults.push(`${name} must be a whole number above 0`)
  for (const [name, policy] of Object.entries(policies ?? {}))
    if (!(['drop-oldest', 'drop-newest', 'fail'] as unknown[]).includes(policy))
      faults.push(`${name}: a policy is drop-oldest, drop-newest or fail`)
  return faults
}

/** Whether a partial match ends after a number of events or after a time, whatever comes. */
function endsByItself(stages: readonly Stage[], first: boolean): boolean {
  for (const stage of stages) {
    if (stage.kind === 'not') {
      if (stage.contiguity === 'relaxed' && stage.withinPrev === undefined) return false
      continue
    }
    const follows = !first
    first = false
    if (!repetitionEnds(stage, follows)) return false
    if (stage.kind === 'group' && !endsByItself(stage.stages, true)) return false
  }
  return true
}

function repetitionEnds(stage: TakeStage | GroupStage, follows: boolean): boolean {
  if (stage.times?.max === null) return false
  if (follows && stage.contiguity !== 'strict' && stage.withinPrev === undefined) return false
  const repeats = (stage.times?.max ?? 1) > 1
  return !repeats || stage.inner === 'strict' || (stage.timesWindow ?? stage.withinPrev) !== undefined
}
