import { isMap } from 'yaml'
import type { Where } from '../pattern/pattern.js'
import { readBoolean } from './read-fields.js'
import { readKey } from './read-key.js'
import { checkStageName, MOST_NAMES, readMatcher, type Gathered } from './read-matcher.js'
import { readOptionalTimes } from './read-stages.js'
import type { Entry } from './rule-file.js'
import type { Rule } from './rule.js'

const SIDE_FIELDS = ['event', 'where', 'key', 'times', 'optional', 'starts']

/** One side of a correlation, as it stands in the file. */
export interface ReadSide {
  readonly name: string
  readonly events: readonly string[]
  readonly where: Where | undefined
  readonly min: number
  readonly max: number | null
  readonly starts: boolean | undefined
  readonly keyOf: Rule['keyOf'] | undefined
}

/**
 * Reads `sides: { name: { event, where, key, times, optional, starts } }`. A condition may ask what the other sides have:
 * they come in any order. @param pairs of an interval join: exactly two sides, one event of each
 */
export function readSides(entry: Entry | undefined, gathered: Gathered, pairs: boolean): ReadSide[] {
  if (entry === undefined) return []
  const { file } = gathered.scope
  const entries = file.pairs(entry.value, 'sides', entry.keyAt)
  if (isMap(entry.value) && (pairs ? entries.length !== 2 : entries.length < 2))
    file.issue(entry.keyAt, pairs ? 'gap is between two sides' : 'a correlation has two sides at least')
  if (entries.length > MOST_NAMES) file.issue(entry.keyAt, `more than ${MOST_NAMES} sides`, 'RULE_TOO_LARGE')
  const known = pairs ? ['event', 'where', 'key'] : SIDE_FIELDS
  const sides = entries.slice(0, MOST_NAMES).map((side) => {
    checkStageName(gathered, side, 'side')
    const fields = file.entries(side.value, side.key, known, side.keyAt)
    const { min, max } = readOptionalTimes(fields, file)
    const many = max === null || max > 1
    gathered.stages.set(side.key, { many, own: false })
    readMatcher(gathered, side, new Map([...fields].filter(([name]) => name === 'event')), { name: side.key, many })
    return { side, fields, min, max }
  })
  return sides.map(({ side, fields, min, max }) => {
    const events = gathered.scope.stageTypes.get(side.key) ?? []
    // the types were read and checked above
    const where = fields.has('where') ? readWhere(side, fields, gathered, events, pairs) : undefined
    const starts = readBoolean(file, fields.get('starts'))
    const keyOf = readKey(fields.get('key'), gathered.scope, events)
    return { name: side.key, events, where, min, max, starts, keyOf }
  })
}

function readWhere(
  side: Entry,
  fields: ReadonlyMap<string, Entry>,
  gathered: Gathered,
  events: readonly string[],
  pairs: boolean,
): Where | undefined {
  const others = new Map([...gathered.stages].filter(([name]) => !pairs && name !== side.key))
  const within = { ...gathered, stages: others }
  const own = pairs ? null : { name: side.key, many: gathered.stages.get(side.key)?.many === true }
  return readMatcher(within, side, fields, own, events).where
}

/** The key of an event by the side that it is of; undefined unless every side has one. */
export function keyOfSides(sides: readonly ReadSide[]): Rule['keyOf'] | undefined {
  if (sides.length === 0 || sides.some(({ keyOf }) => keyOf === undefined)) return undefined
  const byType = new Map<string, Rule['keyOf']>()
  for (const { events, keyOf } of sides)
    for (const type of events) if (keyOf !== undefined && !byType.has(type)) byType.set(type, keyOf)
  return (event) => byType.get(event.type)?.(event)
}
