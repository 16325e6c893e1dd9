import type { GroupStage, Pattern, Stage, TakeStage } from './pattern.js'

/** Repetitions become places in the compiled table. */
export const MOST_TIMES = 10_000

/** Places that a pattern may have in the compiled table: repetitions of groups within groups multiply. */
export const MOST_PLACES = 100_000

/** How many places these stages become. */
export function countPlaces(stages: readonly Stage[]): number {
  let count = 0
  for (const stage of stages) {
    const { min, max } = (stage.kind === 'not' ? undefined : stage.times) ?? { min: 1, max: 1 }
    count += (max ?? min + 1) * (stage.kind === 'group' ? countPlaces(stage.stages) : 1)
  }
  return count
}

/** What is wrong with how a stage or group is repeated, left out or joined to the stage before it, as sentences. */
export function repetitionFaults(stage: TakeStage | GroupStage, before: Stage | undefined, pattern: Pattern): string[] {
  const faults: string[] = []
  const name = stage.kind === 'take' ? stage.name : 'a group'
  const { min, max } = stage.times ?? { min: 1, max: 1 }
  if (!Number.isInteger(min) || min < 1)
    faults.push(`${name}: times must be a whole number from 1 up (none at all is optional)`)
  if (max !== null && (!Number.isInteger(max) || max < min)) faults.push(`${name}: times ends before it begins`)
  if (Math.max(min, max ?? 0) > MOST_TIMES) faults.push(`${name}: times goes up to ${MOST_TIMES}`)
  if (stage.until !== undefined && max !== null) faults.push(`${name}: until needs times without an upper limit`)
  faults.push(...greedyFaults(stage, name))
  if (stage.optional === true && before?.kind === 'take' && before.greedy === true)
    faults.push(`${name}: what is optional cannot follow the greedy stage ${before.name}`)
  faults.push(...gapFaults(stage, name, pattern))
  return faults
}

function greedyFaults(stage: TakeStage | GroupStage, name: string): string[] {
  // A pattern may have been read from somewhere that knows no types.
  if ((stage as { readonly greedy?: boolean }).greedy !== true) return []
  if (stage.kind === 'group') return ['a group cannot be greedy']
  const faults: string[] = []
  if (stage.times === undefined) faults.push(`${name}: greedy needs times`)
  if (stage.inner === 'any') faults.push(`${name}: greedy cannot go with repetitions in any combination`)
  return faults
}

function gapFaults(stage: TakeStage | GroupStage, name: string, { within }: Pattern): string[] {
  const faults: string[] = []
  for (const field of ['withinPrev', 'timesWindow'] as const) {
    const gap = stage[field]
    if (gap === undefined) continue
    if (!(gap > 0 && Number.isFinite(gap))) faults.push(`${name}: ${field} must be a number of milliseconds above 0`)
    if (within !== undefined && gap > within) faults.push(`${name}: ${field} is longer than within`)
  }
  return faults
}
