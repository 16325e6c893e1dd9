import { isMap, type Node } from 'yaml'
import type { AnyAggregator } from '../aggregate/aggregator.js'
import { compileAggregate, type AggregateOptions, type WindowOptions } from '../aggregate/compile-aggregate.js'
import { truth } from '../cel/cel-value.js'
import type { Kinds } from '../cel/check-kinds.js'
import { Slots } from '../cel/slots.js'
import { readAggregator } from './read-aggregator.js'
import { readBounds } from './read-bounds.js'
import { readCount, readDuration, readTypes } from './read-fields.js'
import { EVENT_VARIABLES } from './read-key.js'
import { MOST_NAMES } from './read-matcher.js'
import { readHaving } from './read-having.js'
import { checkValueName } from './read-values.js'
import type { Entry } from './rule-file.js'
import type { KindContext, KindReader, RuleBody } from './rule-kind.js'

const FIELDS = ['event', 'where', 'window', 'values', 'having', 'early', 'allowedLateness']
const BOUNDS = ['keys', 'windowsPerKey', 'waiting', 'matchesPerAdvance']
const RESERVED = ['kind', 'start', 'end', 'replaces', 'window']

/** `aggregate`: windows of a key, and what their events come to. */
export const AGGREGATE: KindReader = { kind: 'aggregate', fields: [], bounds: BOUNDS, read: readAggregate }

function readAggregate(entry: Entry, context: KindContext): RuleBody | undefined {
  const { file, scope, lateness } = context
  const fields = file.entries(entry.value, 'aggregate', FIELDS, entry.keyAt)
  for (const field of ['event', 'window', 'values'])
    if (isMap(entry.value) && !fields.has(field)) file.issue(entry.keyAt, `aggregate: ${field} is missing`)
  const eventEntry = fields.get('event')
  const events = eventEntry === undefined ? [] : readTypes(eventEntry, scope)
  const where = readWhere(fields.get('where'), context, events)
  const window = readWindow(fields.get('window'), context)
  const values: Record<string, AnyAggregator> = {}
  const kinds = new Map<string, Kinds>([['window', new Set(['map'])]])
  const valuesEntry = fields.get('values')
  const listed = valuesEntry === undefined ? [] : file.pairs(valuesEntry.value, 'values', valuesEntry.keyAt)
  if (listed.length > MOST_NAMES)
    file.issue(valuesEntry?.keyAt ?? 0, `more than ${MOST_NAMES} values`, 'RULE_TOO_LARGE')
  for (const value of listed.slice(0, MOST_NAMES)) {
    checkValueName(file, value, RESERVED)
    const read = readAggregator(value, scope, events)
    kinds.set(value.key, read?.kinds)
    if (read !== undefined) values[value.key] = read.aggregator
  }
  const having = readHaving(fields.get('having'), scope, { stages: new Map(), values: kinds }, withWindow)
  const early = readEarly(fields.get('early'), context)
  const allowedLateness = readDuration(file, fields.get('allowedLateness'))
  const { bounds, policies } = readBounds(file, context.fields.get('bounds'), BOUNDS)
  if (file.issues.length > 0 || window === undefined) return undefined
  const policy = policies['keys'] ?? policies['windowsPerKey']
  const options: AggregateOptions = {
    events,
    window,
    values,
    lateness,
    bounds: { ...bounds, ...(policy === undefined ? {} : { policy }) },
    ...(where === undefined ? {} : { where }),
    ...(having === undefined ? {} : { having: (of, key) => having(of, key) }),
    ...(early === undefined ? {} : { early }),
    ...(allowedLateness === undefined ? {} : { allowedLateness }),
  }
  const executable = compileAggregate(options)
  const grace = allowedLateness === undefined || context.fields.has('grace') ? context.grace : 0
  return {
    executable: { ...executable, grace },
    eventTypes: events,
    stages: new Map(),
    values: kinds,
    valuesOf: ({ values: found = {} }) => withWindow(found),
  }
}

/** The names that expressions know: `window.start`, `window.end` and `window.kind` beside the values. */
function withWindow(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { kind, start, end } = values
  return { ...values, window: { kind, start, end } }
}

function readWhere(entry: Entry | undefined, { file, scope }: KindContext, types: readonly string[]) {
  const found = file.scalar(entry, 'where')
  if (found === undefined) return undefined
  const variables = [...EVENT_VARIABLES, 'key']
  const over = { variables, slots: new Slots(), types, wanted: 'bool' as const }
  const compiled = scope.compile(found.node, String(found.value), over)
  if (compiled === undefined) return undefined
  const where: AggregateOptions['where'] = (event, key) => truth(compiled.evaluate(event, [], key))
  return where
}

/** `{ tumbling: 1m }`, `{ sliding: 10m, step: 1m }`, `{ session: 30s }`, with `offset` but for a session. */
function readWindow(entry: Entry | undefined, { file }: KindContext): WindowOptions | undefined {
  if (entry === undefined) return undefined
  const fields = file.entries(entry.value, 'window', ['tumbling', 'sliding', 'session', 'step', 'offset'], entry.keyAt)
  const shapes = ['tumbling', 'sliding', 'session'].filter((name) => fields.has(name))
  const [shape] = shapes
  if (shape === undefined || shapes.length > 1) {
    if (isMap(entry.value)) file.issue(entry.keyAt, 'a window is one of tumbling, sliding and session')
    return undefined
  }
  const size = readDuration(file, fields.get(shape), 1)
  const step = readDuration(file, fields.get('step'), 1)
  const offset = readDuration(file, fields.get('offset'))
  for (const name of shape === 'session' ? ['step', 'offset'] : shape === 'tumbling' ? ['step'] : [])
    if (fields.has(name)) file.issue(fields.get(name)?.keyAt ?? 0, `${name} means nothing with ${shape}`)
  if (shape === 'sliding' && !fields.has('step')) file.issue(entry.keyAt, 'a sliding window: step is missing')
  if (size === undefined) return undefined
  if (shape === 'session') return { session: size }
  const more = offset === undefined ? {} : { offset }
  if (shape === 'tumbling') return { tumbling: size, ...more }
  if (step !== undefined && size / step > MOST_STEPS)
    file.issue(entry.keyAt, `more than ${MOST_STEPS} windows at one time`, 'RULE_UNBOUNDED')
  return step === undefined ? undefined : { sliding: size, step, ...more }
}

const MOST_STEPS = 10_000

function readEarly(entry: Entry | undefined, { file }: KindContext): AggregateOptions['early'] {
  if (entry === undefined) return undefined
  const fields = file.entries(entry.value as Node | null, 'early', ['events', 'every'], entry.keyAt)
  const events = readCount(file, fields.get('events'))
  const every = readDuration(file, fields.get('every'), 1)
  return { ...(events === undefined ? {} : { events }), ...(every === undefined ? {} : { every }) }
}
