import { isMap } from 'yaml'
import { truth } from '../cel/cel-value.js'
import { AGGREGATES, canBeVariable } from '../cel/environment.js'
import type { StageScope } from '../cel/scope.js'
import type { Slots } from '../cel/slots.js'
import type { Matcher, Where } from '../pattern/pattern.js'
import { readTypes } from './read-fields.js'
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
  ...'void while has size int uint double string bool bytes list map dyn timestamp duration values window'.split(' '),
])

/** What reading stages gathers: which names there are so far, and the running values that conditions read. */
export interface Gathered {
  readonly scope: RuleScope
  readonly slots: Slots
  /** Stages that take events, by name. */
  readonly stages: Map<string, StageScope>
  /** Where each of them stands. */
  readonly places: Map<string, number>
}

/** More stages, sides or tags than this are no rule; each can be named in the conditions of all others. */
export const MOST_NAMES = 64

/** Notes what is one too many. */
export function hasRoom({ scope, places }: Gathered, at: number): boolean {
  if (places.size < MOST_NAMES) return true
  if (places.size === MOST_NAMES) scope.file.issue(at, `more than ${MOST_NAMES} names`, 'RULE_TOO_LARGE')
  places.set('', at) // told once
  return false
}

/** Notes a name that a stage cannot have. `what`: a stage, a side, a tag. */
export function checkStageName({ scope, stages, places }: Gathered, { key: name, keyAt }: Entry, what = 'stage'): void {
  const { file } = scope
  if (!/^[a-z][A-Za-z0-9_]{0,63}$/.test(name))
    file.issue(keyAt, `${name.slice(0, 100)} is not a ${what} name: a lower-case letter, then letters, digits, _`)
  else if (RESERVED.has(name) || !canBeVariable(name))
    file.issue(keyAt, `a ${what} cannot be called ${name}: conditions use that word`)
  else if (stages.has(name)) file.issue(keyAt, `two ${what}s are called ${name}`)
  places.set(name, keyAt)
}

/**
 * Reads `event` and `where`.
 * @param own name of the stage whose condition this is, or whose end with `until`; null for what takes nothing
 * @param types when they were read before
 */
export function readMatcher(
  gathered: Gathered,
  of: Entry,
  fields: ReadonlyMap<string, Entry>,
  own: { readonly name: string; readonly many: boolean; readonly until?: true } | null,
  types?: readonly string[],
): Matcher {
  const { scope, slots, stages } = gathered
  const { file } = scope
  const event = fields.get('event')
  if (event === undefined && isMap(of.value)) file.issue(of.keyAt, `${of.key}: event is missing`)
  const events = types ?? (event === undefined ? [] : readTypes(event, scope))
  if (own !== null && own.until === undefined) scope.stageTypes.set(own.name, events)
  const where = file.scalar(fields.get('where'), 'where')
  if (where === undefined) return { events }
  const compiled = scope.compile(where.node, String(where.value), {
    variables: CONDITION_VARIABLES,
    stages: own === null ? stages : new Map([...stages, [own.name, { many: own.many, own: true }]]),
    slots,
    types: events,
    wanted: 'bool',
  })
  if (compiled === undefined) return { events }
  const { evaluate, local, facts } = compiled
  const holds: Where = (e, bound, key) => truth(evaluate(e, bound, key))
  return { events, where: holds, local, ...facts }
}
