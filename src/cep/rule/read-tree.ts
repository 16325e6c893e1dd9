import { isMap, type Node } from 'yaml'
import { nearestName } from '../../event/nearest-name.js'
import type { Tree } from '../tree/tree.js'
import { readCount, readDuration } from './read-fields.js'
import { checkStageName, hasRoom, readMatcher, type Gathered } from './read-matcher.js'
import type { Entry } from './rule-file.js'

/** What operators are made of. */
const OPERATORS = ['seq', 'and', 'or', 'not', 'every', 'until', 'repeat', 'interval', 'within'] as const
type Operator = (typeof OPERATORS)[number]

/** Where a part of a tree stands. */
interface Place {
  readonly otherwise: number
  /** Something around it collects or repeats it: there may be several events of each tag. */
  readonly many: boolean
}

/**
 * Reads a tree of the pattern algebra: a mapping of one operator to its parts, of one tag to a filter, or a filter
 * without a tag. Undefined when what is wrong was noted.
 */
export function readTree(node: Node | null, gathered: Gathered, { otherwise, many }: Place): Tree | undefined {
  const { file } = gathered.scope
  const what = 'a part (an operator, or tag: { event: … })'
  const pairs = file.pairs(node, what, otherwise)
  const [first, second] = pairs
  if (first === undefined) {
    if (isMap(node)) file.issue(file.at(node, otherwise), 'nothing is named here')
    return undefined
  }
  if (pairs.some(({ key }) => key === 'event')) {
    const entry: Entry = { key: 'event', keyAt: first.keyAt, value: node }
    return { kind: 'filter', ...readMatcher(gathered, entry, filterFields(entry, gathered), null) }
  }
  if (second !== undefined) {
    file.issue(second.keyAt, `${first.key} and ${second.key} side by side: put them into and, or, or seq`)
    return undefined
  }
  const operator = OPERATORS.find((name) => name === first.key)
  return operator === undefined ? readFilter(first, gathered, many) : READERS[operator](first, gathered, many)
}

function filterFields(entry: Entry, { scope: { file } }: Gathered): Map<string, Entry> {
  return file.entries(entry.value, entry.key, ['event', 'where'], entry.keyAt)
}

function readFilter(entry: Entry, gathered: Gathered, many: boolean): Tree | undefined {
  const { file } = gathered.scope
  if (!hasRoom(gathered, entry.keyAt)) return undefined
  const looksLike = isMap(entry.value) ? undefined : nearestName(entry.key.slice(0, 100), OPERATORS)
  if (looksLike !== undefined) file.issue(entry.keyAt, `there is no ${entry.key}; did you mean ${looksLike}?`)
  else checkStageName(gathered, entry, 'tag')
  const matcher = readMatcher(gathered, entry, filterFields(entry, gathered), null)
  gathered.scope.stageTypes.set(entry.key, matcher.events)
  gathered.stages.set(entry.key, { many, own: false })
  return { kind: 'filter', tag: entry.key, ...matcher }
}

type Read = (entry: Entry, gathered: Gathered, many: boolean) => Tree | undefined

const READERS: Readonly<Record<Operator, Read>> = {
  seq: (entry, gathered, many) => list('seq', entry, gathered, many),
  and: (entry, gathered, many) => list('and', entry, gathered, many),
  or: (entry, gathered, many) => list('or', entry, gathered, many),
  not: (entry, gathered, many) => one('not', entry, gathered, many),
  every: (entry, gathered, many) => one('every', entry, gathered, many),
  until: readUntil,
  repeat: readRepeat,
  interval: ({ key, keyAt, value }, { scope: { file } }) => {
    const ms = readDuration(file, { key, keyAt, value }, 1)
    return ms === undefined ? undefined : { kind: 'interval', ms }
  },
  within: readWithin,
}

function list(kind: 'seq' | 'and' | 'or', entry: Entry, gathered: Gathered, many: boolean): Tree | undefined {
  const { file } = gathered.scope
  const nodes = file.items(entry.value, kind, entry.keyAt)
  if (nodes.length === 0) file.issue(file.at(entry.value, entry.keyAt), `${kind} has no parts`)
  const parts = nodes.map((node) => readTree(node, gathered, { otherwise: entry.keyAt, many }))
  const read = parts.filter((part) => part !== undefined)
  return read.length < parts.length || read.length === 0 ? undefined : { kind, parts: read }
}

function one(kind: 'not' | 'every', entry: Entry, gathered: Gathered, many: boolean): Tree | undefined {
  const part = readTree(entry.value, gathered, { otherwise: entry.keyAt, many })
  return part === undefined ? undefined : { kind, part }
}

/** `until: { of: …, end: …, min: 1, max: 5 }` */
function readUntil(entry: Entry, gathered: Gathered, many: boolean): Tree | undefined {
  const { file } = gathered.scope
  const fields = file.entries(entry.value, 'until', ['of', 'end', 'min', 'max'], entry.keyAt)
  const part = readPart('of', entry, fields, gathered, true)
  const end = readPart('end', entry, fields, gathered, many)
  const min = readCount(file, fields.get('min'), { least: 0, most: 10_000 })
  const max = readCount(file, fields.get('max'), { most: 10_000 })
  if (part === undefined || end === undefined) return undefined
  return { kind: 'until', part, end, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }
}

/** `repeat: { of: …, times: 3 }` */
function readRepeat(entry: Entry, gathered: Gathered): Tree | undefined {
  const { file } = gathered.scope
  const fields = file.entries(entry.value, 'repeat', ['of', 'times'], entry.keyAt)
  const part = readPart('of', entry, fields, gathered, true)
  if (isMap(entry.value) && !fields.has('times')) file.issue(entry.keyAt, 'repeat: times is missing')
  const count = readCount(file, fields.get('times'), { most: 10_000 })
  return part === undefined || count === undefined ? undefined : { kind: 'repeat', part, count }
}

/** `within: { of: …, for: 5m }` */
function readWithin(entry: Entry, gathered: Gathered, many: boolean): Tree | undefined {
  const { file } = gathered.scope
  const fields = file.entries(entry.value, 'within', ['of', 'for'], entry.keyAt)
  const part = readPart('of', entry, fields, gathered, many)
  if (isMap(entry.value) && !fields.has('for')) file.issue(entry.keyAt, 'within: for is missing')
  const ms = readDuration(file, fields.get('for'), 1)
  return part === undefined || ms === undefined ? undefined : { kind: 'within', part, ms }
}

function readPart(
  name: string,
  of: Entry,
  fields: ReadonlyMap<string, Entry>,
  gathered: Gathered,
  many: boolean,
): Tree | undefined {
  const { file } = gathered.scope
  const entry = fields.get(name)
  if (entry === undefined) {
    if (isMap(of.value)) file.issue(of.keyAt, `${of.key}: ${name} is missing`)
    return undefined
  }
  return readTree(entry.value, gathered, { otherwise: entry.keyAt, many })
}
