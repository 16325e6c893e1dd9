import { countPlaces, MOST_PLACES, repetitionFaults } from './check-repetition.js'
import { boundFaults } from './check-bounds.js'
import { matchingStages, takeStages, type GroupStage, type NotStage, type Pattern, type Stage } from './pattern.js'

/** Conditions of one pattern are bits of one number. */
export const MOST_CONDITIONS = 30

/** What is wrong with a pattern, as sentences; nothing when it can be compiled. */
export function patternFaults(pattern: Pattern): string[] {
  const faults: string[] = []
  const names = new Set<string>()
  for (const { name } of takeStages(pattern.stages)) {
    if (names.has(name)) faults.push(`two stages are called ${name}`)
    names.add(name)
  }
  for (const stage of matchingStages(pattern.stages))
    if (stage.kind === 'not' && stage.name !== undefined && names.has(stage.name))
      faults.push(`two stages are called ${stage.name}`)
  if (names.size === 0) faults.push('no stage takes an event')
  faults.push(...stagesFaults(pattern.stages, pattern), ...boundFaults(pattern))
  const { skip } = pattern
  if (skip !== undefined && 'stage' in skip && !pattern.stages.some((s) => s.kind === 'take' && s.name === skip.stage))
    faults.push(`skip names ${skip.stage}, which is not a stage that takes events, outside groups`)
  for (const { stage, text } of pattern.aggregates ?? [])
    if (!names.has(stage)) faults.push(`${text} is about ${stage}, which is not a stage that takes events`)
  const places = countPlaces(pattern.stages)
  if (places > MOST_PLACES)
    faults.push(`with its repetitions it has ${places} places; at most ${MOST_PLACES} are possible`)
  const conditions = countConditions(pattern.stages)
  if (conditions > MOST_CONDITIONS) faults.push(`${conditions} conditions; at most ${MOST_CONDITIONS} are possible`)
  return faults
}

function countConditions(stages: readonly Stage[]): number {
  let count = 0
  for (const stage of stages) {
    if (stage.kind === 'group') count += countConditions(stage.stages)
    else count++
    if (stage.kind !== 'not' && stage.until !== undefined) count++
  }
  return count
}

function stagesFaults(stages: readonly Stage[], pattern: Pattern): string[] {
  const faults: string[] = []
  let before: Stage | undefined
  for (const stage of stages) {
    if (stage.kind === 'not') faults.push(...notFaults(stage, before))
    else faults.push(...repetitionFaults(stage, before, pattern))
    if (stage.kind === 'group') faults.push(...groupFaults(stage, pattern))
    before = stage
  }
  return faults
}

function notFaults(stage: NotStage, before: Stage | undefined): string[] {
  const faults: string[] = []
  if (before === undefined) faults.push('a pattern cannot begin with not, nor can a group')
  else if (before.kind !== 'not' && before.optional === true)
    faults.push(
      `not cannot follow ${before.kind === 'take' ? `the optional stage ${before.name}` : 'an optional group'}`,
    )
  for (const field of ['times', 'optional', 'greedy', 'until'])
    if (field in stage) faults.push(`not cannot have ${field}`)
  return faults
}

function groupFaults(group: GroupStage, pattern: Pattern): string[] {
  const faults = stagesFaults(group.stages, pattern)
  if (group.stages.length === 0) faults.push('a group without stages')
  else if (group.stages.at(-1)?.kind === 'not' && pattern.compat !== 'flink')
    faults.push('a group cannot end in not: put the not behind the group')
  // A repetition that can go round without an event would go round for ever.
  if (group.times?.max === null && group.stages.every(canBeEmpty))
    faults.push('a group that is repeated without limit needs a stage that is not optional')
  return faults
}

function canBeEmpty(stage: Stage): boolean {
  if (stage.kind === 'not') return true
  return stage.optional === true || (stage.kind === 'group' && stage.stages.every(canBeEmpty))
}
