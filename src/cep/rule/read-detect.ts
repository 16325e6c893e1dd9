import { isMap, isSeq, type Node } from 'yaml'
import { truth } from '../cel/cel-value.js'
import type { Kinds } from '../cel/check-kinds.js'
import { Slots } from '../cel/slots.js'
import { compileDetect, type DetectOptions } from '../detect/compile-detect.js'
import { readBounds } from './read-bounds.js'
import { readDecision, readDetector } from './read-detector.js'
import { readDuration, readTypes } from './read-fields.js'
import { EVENT_VARIABLES } from './read-key.js'
import type { Entry } from './rule-file.js'
import type { KindContext, KindReader, RuleBody } from './rule-kind.js'
import type { CompiledExpression } from './rule-scope.js'

const FIELDS = ['event', 'where', 'value', 'detector', 'decision', 'forget']
const BOUNDS = ['keys', 'waiting', 'matchesPerAdvance']
const NUMBER_OR_NULL: Kinds = new Set(['number', 'null'])
const VALUES: ReadonlyMap<string, Kinds> = new Map<string, Kinds>([
  ['value', new Set(['number', 'list', 'null'])],
  ['score', new Set(['number'])],
  ['expected', NUMBER_OR_NULL],
  ['lower', NUMBER_OR_NULL],
  ['upper', NUMBER_OR_NULL],
  ['direction', new Set(['string'])],
  ['detector', new Set(['string'])],
])

/** `detect`: values that are not as they usually are, or an event that does not come. */
export const DETECT: KindReader = { kind: 'detect', fields: [], bounds: BOUNDS, read: readDetect }

function readDetect(entry: Entry, context: KindContext): RuleBody | undefined {
  const { file, scope, lateness, grace } = context
  const fields = file.entries(entry.value, 'detect', FIELDS, entry.keyAt)
  if (isMap(entry.value) && !fields.has('event')) file.issue(entry.keyAt, 'detect: event is missing')
  const eventEntry = fields.get('event')
  const events = eventEntry === undefined ? [] : readTypes(eventEntry, scope)
  const where = compile(fields.get('where'), fields.get('where')?.value, context, events, 'bool')
  const value = readValue(fields.get('value'), context, events)
  const detector = readDetector(fields.get('detector'), file)
  const decision = readDecision(fields.get('decision'), file)
  const forget = readDuration(file, fields.get('forget'), 1)
  const { bounds, policies } = readBounds(file, context.fields.get('bounds'), BOUNDS)
  if (file.issues.length > 0) return undefined
  const options: DetectOptions = {
    events,
    lateness,
    grace,
    bounds: { ...bounds, ...(policies['keys'] === undefined ? {} : { policy: policies['keys'] }) },
    ...(where === undefined ? {} : { where: (event, key) => truth(where.evaluate(event, [], key)) }),
    ...(value === undefined ? {} : { value }),
    ...(detector === undefined ? {} : { detector }),
    ...(decision === undefined ? {} : { decision }),
    ...(forget === undefined ? {} : { idle: forget }),
  }
  const stages = new Map([['event', { many: false, own: false }]])
  scope.stageTypes.set('event', events)
  return { executable: compileDetect(options), eventTypes: events, stages, values: VALUES }
}

/** One expression, or a list of them for a detector of several dimensions. */
function readValue(
  entry: Entry | undefined,
  context: KindContext,
  types: readonly string[],
): DetectOptions['value'] | undefined {
  if (entry === undefined) return undefined
  if (!isSeq(entry.value)) {
    const one = compile(entry, entry.value, context, types)
    return one === undefined ? undefined : (event) => reading(one.evaluate(event, [], ''))
  }
  const nodes = entry.value.items as Node[]
  if (nodes.length === 0) context.file.issue(context.file.at(entry.value), 'value is empty')
  const parts = nodes.slice(0, 64).map((node) => compile(entry, node, context, types))
  return (event) => parts.map((part) => reading(part?.evaluate(event, [], '')))
}

function reading(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function compile(
  entry: Entry | undefined,
  value: Node | null | undefined,
  { file, scope }: KindContext,
  types: readonly string[],
  wanted?: 'bool',
): CompiledExpression | undefined {
  if (entry === undefined) return undefined
  const found = file.scalar({ ...entry, value: value ?? null }, entry.key)
  if (found === undefined) return undefined
  const variables = wanted === 'bool' ? [...EVENT_VARIABLES, 'key'] : EVENT_VARIABLES
  const over = { variables, slots: new Slots(), types, ...(wanted === undefined ? {} : { wanted }) }
  const compiled = scope.compile(found.node, String(found.value), over)
  if (wanted === undefined && compiled?.kinds?.has('number') === false)
    file.issue(file.at(found.node), `${entry.key} is a number, and this gives ${[...compiled.kinds].join(' or ')}`)
  return compiled
}
