import { isSeq } from 'yaml'
import { MOST_TIMES } from '../pattern/check-repetition.js'
import type { Contiguity, GroupStage, NotStage, Repetition, Stage, TakeStage } from '../pattern/pattern.js'
import { readBoolean, readChoice, readDuration } from './read-fields.js'
import { checkStageName, hasRoom, readMatcher, type Gathered } from './read-matcher.js'
import type { Entry, RuleFile } from './rule-file.js'

const CONTIGUITIES = ['strict', 'relaxed', 'any'] as const
const REPETITION_FIELDS = ['times', 'strict', 'contiguity', 'inner', 'optional', 'until', 'withinPrev', 'timesWindow']
const TAKE_FIELDS = ['event', 'where', 'greedy', ...REPETITION_FIELDS]
const GROUP_FIELDS = ['stages', ...REPETITION_FIELDS]
const NOT_FIELDS = ['event', 'where', 'strict', 'withinPrev']

/** Where a list of stages stands. */
interface Around {
  /** Nothing comes before its first stage. */
  readonly first: boolean
  /** It is repeated as a whole. */
  readonly many: boolean
}

/**
 * Reads a list of `- name: { event, where, … }`, `- not: { event, where, strict }` and `- group: { stages, … }`. Strict:
 * nothing that the rule sees lies between the stage and the one before, nor between its repetitions.
 */
export function readStages(entry: Entry, gathered: Gathered, around: Around = { first: true, many: false }): Stage[] {
  const { file } = gathered.scope
  const stages: Stage[] = []
  const items = file.items(entry.value, entry.key, entry.keyAt)
  if (isSeq(entry.value) && items.length === 0) file.issue(file.at(entry.value), `${entry.key} is empty`)
  for (const item of items) {
    const [stage, more] = file.pairs(item, 'a stage (- name: { event: … })', entry.keyAt)
    if (stage === undefined || !hasRoom(gathered, stage.keyAt)) continue
    if (more !== undefined) file.issue(more.keyAt, `${more.key}: each stage is a list item of its own`)
    const here = { ...around, first: around.first && stages.length === 0 }
    if (stage.key === 'not') stages.push(readNot(stage, gathered))
    else if (stage.key === 'group') stages.push(readGroup(stage, gathered, here))
    else stages.push(readTake(stage, gathered, here))
  }
  return stages
}

function readNot(stage: Entry, gathered: Gathered): NotStage {
  const { file } = gathered.scope
  const fields = file.entries(stage.value, 'not', NOT_FIELDS, stage.keyAt)
  const contiguity = readBoolean(file, fields.get('strict')) === true ? 'strict' : 'relaxed'
  const withinPrev = readDuration(file, fields.get('withinPrev'), 1)
  const matcher = readMatcher(gathered, stage, fields, null)
  return { kind: 'not', contiguity, ...matcher, ...(withinPrev === undefined ? {} : { withinPrev }) }
}

function readGroup(entry: Entry, gathered: Gathered, { first, many }: Around): GroupStage {
  const { file } = gathered.scope
  const fields = file.entries(entry.value, 'group', GROUP_FIELDS, entry.keyAt)
  const repetition = readRepetition(entry, fields, gathered, first)
  const until = readUntil(fields.get('until'), gathered, null)
  const stages = fields.get('stages')
  if (stages === undefined) file.issue(entry.keyAt, 'group: stages is missing')
  const inside = { first, many: many || repeats(repetition) }
  const before = new Set(gathered.stages.keys())
  const read = stages === undefined ? [] : readStages(stages, gathered, inside)
  // inside the group they are read one by one; from outside there may be several of each
  if (inside.many)
    for (const name of gathered.stages.keys())
      if (!before.has(name)) gathered.stages.set(name, { many: true, own: false })
  return { kind: 'group', stages: read, ...repetition, ...until }
}

function readTake(stage: Entry, gathered: Gathered, { first, many }: Around): TakeStage {
  const { file } = gathered.scope
  const { key: name, keyAt } = stage
  checkStageName(gathered, stage)
  const fields = file.entries(stage.value, name, TAKE_FIELDS, keyAt)
  const repetition = readRepetition(stage, fields, gathered, first)
  const greedy = readBoolean(file, fields.get('greedy'))
  const several = many || repeats(repetition)
  const matcher = readMatcher(gathered, stage, fields, { name, many: several })
  const until = readUntil(fields.get('until'), gathered, name)
  gathered.stages.set(name, { many: several, own: false })
  return { kind: 'take', name, ...repetition, ...until, ...matcher, ...(greedy === undefined ? {} : { greedy }) }
}

function repeats({ times }: Repetition): boolean {
  return times !== undefined && (times.max === null || times.max > 1)
}

function readRepetition(
  stage: Entry,
  fields: ReadonlyMap<string, Entry>,
  gathered: Gathered,
  first: boolean,
): Repetition {
  const { file } = gathered.scope
  const times = readTimes(fields.get('times'), file)
  const many = times.max === null || times.max > 1
  const strict = readBoolean(file, fields.get('strict')) === true
  const named = readChoice(file, fields.get('contiguity'), CONTIGUITIES)
  const innerNamed = readChoice(file, fields.get('inner'), CONTIGUITIES)
  if (strict && named !== undefined)
    file.issue(fields.get('contiguity')?.keyAt ?? stage.keyAt, 'strict says it already: leave one of them out')
  if (((strict && !many) || named !== undefined) && first)
    file.issue(
      (fields.get('strict') ?? fields.get('contiguity'))?.keyAt ?? stage.keyAt,
      'nothing comes before the first stage',
    )
  if (innerNamed !== undefined && !many)
    file.issue(fields.get('inner')?.keyAt ?? stage.keyAt, 'inner is about repetitions: it needs times')
  // who writes that three readings follow strictly means that nothing lies between them either
  const inner: Contiguity | undefined = innerNamed ?? (strict && many ? 'strict' : undefined)
  const optional = readBoolean(file, fields.get('optional'))
  const withinPrev = readDuration(file, fields.get('withinPrev'), 1)
  const timesWindow = readDuration(file, fields.get('timesWindow'), 1)
  return {
    contiguity: named ?? (strict && !first ? 'strict' : 'relaxed'),
    times,
    ...(inner === undefined ? {} : { inner }),
    ...(optional === undefined ? {} : { optional }),
    ...(withinPrev === undefined ? {} : { withinPrev }),
    ...(timesWindow === undefined ? {} : { timesWindow }),
  }
}

/** @param stage name of the stage that it ends: its condition may ask what that has taken so far */
function readUntil(entry: Entry | undefined, gathered: Gathered, stage: string | null): Pick<Repetition, 'until'> {
  if (entry === undefined) return {}
  const fields = gathered.scope.file.entries(entry.value, 'until', ['event', 'where'], entry.keyAt)
  return {
    until: readMatcher(gathered, entry, fields, stage === null ? null : { name: stage, many: true, until: true }),
  }
}

/** `3`, `2..5`, `3..`: how many, from–to, at least. */
export function readTimes(entry: Entry | undefined, file: RuleFile): { min: number; max: number | null } {
  const once = { min: 1, max: 1 }
  const found = file.scalar(entry, 'times')
  if (found === undefined) return once
  const match = /^(\d+)(?:(\.\.)(\d*))?$/.exec(String(found.value))
  const min = Number(match?.[1])
  const max = match?.[2] === undefined ? min : match[3] === '' ? null : Number(match[3])
  if (match === null) file.issue(file.at(found.node), 'times is a number (3), a range (2..5) or a minimum (3..)')
  else if (min < 1) file.issue(file.at(found.node), 'times begins at 1; a stage that may be left out is optional: true')
  else if (max !== null && max < min) file.issue(file.at(found.node), 'times ends before it begins')
  else if (Math.max(min, max ?? 0) > MOST_TIMES) file.issue(file.at(found.node), `times goes up to ${MOST_TIMES}`)
  else return { min, max }
  return once
}

/** How many events a side takes: `times`, from none with `optional`. */
export function readOptionalTimes(
  fields: ReadonlyMap<string, Entry>,
  file: RuleFile,
): { min: number; max: number | null } {
  const { min, max } = readTimes(fields.get('times'), file)
  return { min: readBoolean(file, fields.get('optional')) === true ? 0 : min, max }
}
