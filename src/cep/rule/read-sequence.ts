import { isMap, isScalar, isSeq, type Node } from 'yaml'
import type { StageScope } from '../cel/scope.js'
import { truth } from '../cel/cel-value.js'
import { AGGREGATES } from '../cel/environment.js'
import type { Slots } from '../cel/slots.js'
import type { Matcher, Stage, Where } from '../pattern/pattern.js'
import type { Entry } from './rule-file.js'
import type { RuleScope } from './rule-scope.js'

/** The variables of a condition. */
export const CONDITION_VARIABLES = ['data', 'type', 'id', 'time', 'key'] as const
const RESERVED = new Set<string>([
  ...CONDITION_VARIABLES,
  ...AGGREGATES,
  ...'true false null in as break const continue else for function if import let loop package namespace return var'.split(
    ' ',
  ),
  ...'void while has size int uint double string bool bytes list map dyn timestamp duration'.split(' '),
])
const TAKE_FIELDS = ['event', 'where', 'times', 'strict']
const NOT_FIELDS = ['event', 'where', 'strict']

/** What was read of a rule's sequence. */
export interface Sequence {
  readonly stages: readonly Stage[]
  /** Every stage that takes events: whether it may hold several. */
  readonly scopes: ReadonlyMap<string, StageScope>
}

/**
 * Reads `sequence`: a list of `- name: { event, where, times, strict }` and `- not: { event, where, strict }`. Strict:
 * nothing that the rule sees lies between the stage and the one before, nor between its repetitions.
 */
export function readSequence(entry: Entry, scope: RuleScope, slots: Slots): Sequence {
  const { file } = scope
  const stages: Stage[] = []
  const scopes = new Map<string, StageScope>()
  const items = file.items(entry.value, 'sequence', entry.keyAt)
  if (isSeq(entry.value) && items.length === 0) file.issue(file.at(entry.value), 'sequence is empty')
  for (const item of items) {
    const [stage, more] = file.pairs(item, 'a stage (- name: { event: … })', entry.keyAt)
    if (stage === undefined) continue
    if (more !== undefined) file.issue(more.keyAt, `${more.key}: each stage is a list item of its own`)
    const first = stages.length === 0
    if (stage.key === 'not') {
      const fields = file.entries(stage.value, 'not', NOT_FIELDS, stage.keyAt)
      const strict = readStrict(fields.get('strict'), scope)
      stages.push({
        kind: 'not',
        contiguity: strict ? 'strict' : 'relaxed',
        ...readMatcher(stage, fields, scope, slots, scopes),
      })
    } else stages.push(readTake(stage, first, scope, slots, scopes))
  }
  return { stages, scopes }
}

function readTake(
  stage: Entry,
  first: boolean,
  scope: RuleScope,
  slots: Slots,
  scopes: Map<string, StageScope>,
): Stage {
  const { file } = scope
  const { key: name, keyAt } = stage
  if (!/^[a-z][A-Za-z0-9_]*$/.test(name))
    file.issue(keyAt, `${name} is not a stage name: a lower-case letter, then letters, digits, _`)
  else if (RESERVED.has(name)) file.issue(keyAt, `a stage cannot be called ${name}: conditions use that word`)
  else if (scopes.has(name)) file.issue(keyAt, `two stages are called ${name}`)
  const fields = file.entries(stage.value, name, TAKE_FIELDS, keyAt)
  const times = readTimes(fields.get('times'), scope)
  const many = times.max === null || times.max > 1
  const strict = readStrict(fields.get('strict'), scope)
  if (strict && first && !many) file.issue(fields.get('strict')?.keyAt ?? keyAt, 'nothing comes before the first stage')
  const within = new Map([...scopes, [name, { many, own: true }]])
  const matcher = readMatcher(stage, fields, scope, slots, within)
  scopes.set(name, { many, own: false })
  // who writes that three readings follow strictly means that nothing lies between them either
  const inner = strict && many ? { inner: 'strict' as const } : {}
  return { kind: 'take', name, contiguity: strict && !first ? 'strict' : 'relaxed', times, ...inner, ...matcher }
}

function readMatcher(
  stage: Entry,
  fields: ReadonlyMap<string, Entry>,
  scope: RuleScope,
  slots: Slots,
  stages: ReadonlyMap<string, StageScope>,
): Matcher {
  const { file } = scope
  const event = fields.get('event')
  if (event === undefined && isMap(stage.value)) file.issue(stage.keyAt, `${stage.key}: event is missing`)
  const events = event === undefined ? [] : readTypes(event, scope)
  if (stage.key !== 'not') scope.stageTypes.set(stage.key, events)
  const where = file.scalar(fields.get('where'), 'where')
  if (where === undefined) return { events }
  const compiled = scope.compile(where.node, String(where.value), {
    variables: CONDITION_VARIABLES,
    stages,
    slots,
    types: events,
    wanted: 'bool',
  })
  if (compiled === undefined) return { events }
  const { evaluate, local } = compiled
  const holds: Where = (e, bound, key) => truth(evaluate(e, bound, key))
  return { events, where: holds, local }
}

/** One event type or a list of them. */
export function readTypes(entry: Entry, scope: RuleScope): string[] {
  const { file } = scope
  const nodes = isSeq(entry.value) ? (entry.value.items as Node[]) : [entry.value]
  const types: string[] = []
  for (const node of nodes)
    if (isScalar(node) && typeof node.value === 'string') {
      scope.checkType(node.value, file.at(node))
      types.push(node.value)
    } else file.issue(file.at(node, entry.keyAt), `${entry.key} must be an event type or a list of them`)
  if (nodes.length === 0) file.issue(file.at(entry.value, entry.keyAt), `${entry.key} names no event type`)
  return types
}

function readStrict(entry: Entry | undefined, { file }: RuleScope): boolean {
  if (entry === undefined) return false
  const found = file.scalar(entry, 'strict')
  if (found !== undefined && typeof found.value !== 'boolean')
    file.issue(file.at(found.node), 'strict is true or false')
  return found?.value === true
}

/** `3`, `2..5`, `3..`: how many, from–to, at least. */
function readTimes(entry: Entry | undefined, { file }: RuleScope): { min: number; max: number | null } {
  const once = { min: 1, max: 1 }
  const found = file.scalar(entry, 'times')
  if (found === undefined) return once
  const match = /^(\d+)(?:(\.\.)(\d*))?$/.exec(String(found.value))
  const min = Number(match?.[1])
  const max = match?.[2] === undefined ? min : match[3] === '' ? null : Number(match[3])
  if (match === null) file.issue(file.at(found.node), 'times is a number (3), a range (2..5) or a minimum (3..)')
  else if (min < 1) file.issue(file.at(found.node), 'times begins at 1')
  else if (max !== null && max < min) file.issue(file.at(found.node), 'times ends before it begins')
  else if (Math.max(min, max ?? 0) > 10_000) file.issue(file.at(found.node), 'times goes up to 10000')
  else return { min, max }
  return once
}
