import { isMap, isScalar, isSeq, type Node } from 'yaml'
import { durationOf } from './read-fields.js'
import type { Entry, RuleFile } from './rule-file.js'
import type { RuleScope } from './rule-scope.js'
import type { ExpectedEvent, RuleTest, TestEvent } from './rule-test.js'

const TEST_FIELDS = ['name', 'given', 'until', 'expect']
const EVENT_FIELDS = ['event', 'at', 'data', 'id', 'source', 'correlationId', 'causationId']
const EXPECT_FIELDS = ['event', 'data', 'severity', 'key', 'at']
/** Tests are examples; recordings are run with rules run and backtest. */
const MOST_EVENTS = 1_000

/**
 * Reads `tests`: a list of `{ name, given, until, expect }`. `given`: events, as `type: data`, with a time as
 * `+10s type: data`, or in full. `expect`: none, or what is emitted, each as its data or in full.
 * @param emitted types that the rule emits, the usual one first
 */
export function readTests(entry: Entry | undefined, scope: RuleScope, emitted: readonly string[]): RuleTest[] {
  if (entry === undefined) return []
  return scope.file.items(entry.value, 'tests', entry.keyAt).map((node, index) => {
    const { file } = scope
    const at = file.at(node, entry.keyAt)
    const fields = file.entries(node, 'a test', TEST_FIELDS, entry.keyAt)
    const name = file.text(fields.get('name'), 'name') ?? `test ${index + 1}`
    for (const field of ['given', 'expect']) if (!fields.has(field)) file.issue(at, `${name}: ${field} is missing`)
    const given = readGiven(fields.get('given'), scope)
    const until = readOffset(file, fields.get('until'))
    const expect = readExpect(fields.get('expect'), scope, emitted)
    return { name, given, expect, ...(until === undefined ? {} : { until }), ...file.place(at) }
  })
}

function readGiven(entry: Entry | undefined, scope: RuleScope): TestEvent[] {
  if (entry === undefined) return []
  const { file } = scope
  const nodes = file.items(entry.value, 'given', entry.keyAt)
  if (nodes.length > MOST_EVENTS) file.issue(entry.keyAt, `given: at most ${MOST_EVENTS} events`)
  const events: TestEvent[] = []
  for (const node of nodes.slice(0, MOST_EVENTS)) {
    const event = readEvent(node, scope, events.at(-1)?.at ?? 0, entry.keyAt)
    if (event !== undefined) events.push(event)
  }
  return events
}

function readEvent(node: Node, scope: RuleScope, before: number, otherwise: number): TestEvent | undefined {
  const { file } = scope
  const [short, second] = isMap(node) ? file.pairs(node, 'an event') : []
  if (short === undefined) {
    file.issue(file.at(node, otherwise), 'an event is type: { data }, +10s type: { data }, or { event, at, data }')
    return undefined
  }
  if (second === undefined && !EVENT_FIELDS.includes(short.key)) return readShort(short, scope, before)
  const fields = file.entries(node, 'an event', EVENT_FIELDS, otherwise)
  const type = file.text(fields.get('event'), 'event')
  if (type === undefined) {
    if (!fields.has('event')) file.issue(short.keyAt, 'an event: event is missing')
    return undefined
  }
  const places = { type: file.at(fields.get('event')?.value), data: file.at(fields.get('data')?.value, short.keyAt) }
  const data = dataOf(fields.get('data')?.value ?? null, file)
  const more: Record<string, string> = {}
  for (const name of ['id', 'source', 'correlationId', 'causationId']) {
    const text = file.text(fields.get(name), name)
    if (text !== undefined) more[name] = text
  }
  return { ...checked(scope, type, data ?? {}, places), at: readOffset(file, fields.get('at')) ?? before, ...more }
}

function readShort({ key, keyAt, value }: Entry, scope: RuleScope, before: number): TestEvent | undefined {
  const { file } = scope
  const [, offset, type = ''] = /^(?:\+(\S+)\s+)?(\S+)$/.exec(key) ?? []
  if (type === '') {
    file.issue(keyAt, `${key.slice(0, 100)} is neither a type nor a time and a type, such as +10s payment.authorized`)
    return undefined
  }
  const at = offset === undefined ? before : durationOf(offset)
  if (typeof at === 'string') file.issue(keyAt, at, 'DURATION_INVALID')
  const places = { type: keyAt + key.length - type.length, data: file.at(value, keyAt) }
  return { ...checked(scope, type, dataOf(value, file) ?? {}, places), at: typeof at === 'string' ? before : at }
}

/** The data as the stream would have it: checked by the contract, and with what the contract fills in. */
function checked(
  scope: RuleScope,
  type: string,
  data: unknown,
  places: { readonly type: number; readonly data: number },
): { type: string; data: unknown } {
  scope.checkType(type, places.type)
  const result = scope.contract(type)?.check?.(data)
  if (result === undefined) return { type, data }
  if ('data' in result) return { type, data: result.data }
  scope.file.issue(places.data, result.problem)
  return { type, data }
}

function readExpect(entry: Entry | undefined, scope: RuleScope, emitted: readonly string[]): ExpectedEvent[] {
  if (entry === undefined) return []
  const { value } = entry
  if (isScalar(value) && value.value === 'none') return []
  if (isMap(value)) return [readExpected(value, scope, emitted, entry.keyAt)]
  if (isSeq(value)) return (value.items as Node[]).map((node) => readExpected(node, scope, emitted, entry.keyAt))
  scope.file.issue(scope.file.at(value, entry.keyAt), 'expect is none, the data of an event, or a list of them')
  return []
}

function readExpected(node: Node, scope: RuleScope, emitted: readonly string[], otherwise: number): ExpectedEvent {
  const { file } = scope
  const pairs = isMap(node) ? file.pairs(node, 'what is expected') : []
  const isFull = pairs.some(({ key }) => key === 'event' || key === 'data') || pairs.length === 0
  if (!isFull) return { data: expectedData(node, scope, emitted.slice(0, 1), otherwise) }
  const fields = file.entries(node, 'what is expected', EXPECT_FIELDS, otherwise)
  const event = file.text(fields.get('event'), 'event')
  if (event !== undefined && !emitted.includes(event))
    file.issue(file.at(fields.get('event')?.value), `the rule does not emit ${event}; it emits ${emitted.join(', ')}`)
  const data = fields.get('data')
  const severity = file.text(fields.get('severity'), 'severity')
  const key = file.text(fields.get('key'), 'key')
  const at = readOffset(file, fields.get('at'))
  const types = event === undefined ? emitted.slice(0, 1) : [event]
  return {
    ...(event === undefined ? {} : { event }),
    ...(data === undefined ? {} : { data: expectedData(data.value, scope, types, data.keyAt) }),
    ...(severity === undefined ? {} : { severity }),
    ...(key === undefined ? {} : { key }),
    ...(at === undefined ? {} : { at }),
  }
}

function expectedData(node: Node | null, scope: RuleScope, types: readonly string[], otherwise: number) {
  const { file } = scope
  for (const { key, keyAt } of file.pairs(node, 'data', otherwise)) {
    const problem = scope.fieldProblem(types, `data.${key}`, false)
    if (problem !== undefined) file.issue(keyAt, problem)
  }
  return (isMap(node) ? dataOf(node, file) : {}) as Record<string, unknown>
}

/** `+10s`, or `10s`: how long after the test begins, in ms. */
function readOffset(file: RuleFile, entry: Entry | undefined): number | undefined {
  const found = file.scalar(entry, entry?.key ?? '')
  if (found === undefined) return undefined
  const ms = durationOf(typeof found.value === 'string' ? found.value.replace(/^\+/, '') : found.value)
  if (typeof ms === 'number') return ms
  file.issue(file.at(found.node), ms, 'DURATION_INVALID')
  return undefined
}

/** What stands there as JSON. */
function dataOf(node: Node | null, file: RuleFile): unknown {
  if (isMap(node))
    return Object.fromEntries(file.pairs(node, 'data').map(({ key, value }) => [key, dataOf(value, file)]))
  if (isSeq(node)) return (node.items as Node[]).map((item) => dataOf(item, file))
  const value: unknown = isScalar(node) ? node.value : null
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  file.issue(file.at(node), 'is nothing that JSON can carry')
  return null
}
