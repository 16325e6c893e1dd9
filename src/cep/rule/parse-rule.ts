import { createHash } from 'node:crypto'
import { isMap } from 'yaml'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import { assembleRule, type RuleParts } from './assemble-rule.js'
import { KINDS } from './kinds.js'
import { readEmit, type Emit } from './read-emit.js'
import { readBoolean, readDuration, readName, readOneOf } from './read-fields.js'
import { readKey } from './read-key.js'
import { readSuppress } from './read-suppress.js'
import { readTests } from './read-tests.js'
import { RuleFile, type Entry } from './rule-file.js'
import type { KindContext, KindReader, RuleBody } from './rule-kind.js'
import { RuleScope } from './rule-scope.js'
import { ON_CHANGE, type ContractLookup, type Rule, type RulePlaces } from './rule.js'

const COMMON = [
  'rule',
  'description',
  'enabled',
  'onChange',
  'on',
  'key',
  'lateness',
  'grace',
  'idle',
  'bounds',
  'emit',
  'suppress',
  'tests',
]
const FIELDS = [...COMMON, ...KINDS.keys(), ...new Set([...KINDS.values()].flatMap(({ fields }) => fields))]

/** Grace of a rule that names none, in ms: clocks of producers that are kept by NTP differ by far less. */
export const DEFAULT_GRACE = 10_000

export interface RuleOptions {
  /** For messages. */
  readonly file: string
  /** When given, event types, fields and what can be in them are checked against the contracts. */
  readonly contracts?: ContractLookup
}

/**
 * Reads a rule from YAML: `rule`, `on`, `key`, one of `sequence`, `pattern`, `correlate`, `aggregate` and `detect`, and
 * `emit`; docs/rules.md has every field. Expressions are CEL; they are compiled to closures, never to code.
 * @throws RULE_INVALID with every problem of the file at its line and column, each with a code of its own
 */
export function parseRule(text: string, { file: name, contracts }: RuleOptions): Rule {
  const file = new RuleFile(text, name)
  const rule = file.issues.length > 0 ? undefined : read(file, new RuleScope(file, contracts), text)
  if (rule === undefined || file.issues.length > 0)
    throw fault('RULE_INVALID', `${name}: ${file.issues.length} to correct`, { issues: byPlace(file) })
  return rule
}

function read(file: RuleFile, scope: RuleScope, text: string): Rule | undefined {
  if (!isMap(file.root)) {
    const what = file.root === null ? 'there is nothing in the file' : 'this is no rule'
    const kinds = [...KINDS.keys()].join(', ')
    file.issue(file.at(file.root), `${what}: a rule has the fields rule, on, key, emit and one of ${kinds}`)
    return undefined
  }
  const fields = file.entries(file.root, 'a rule', FIELDS)
  for (const field of ['rule', 'on', 'emit'])
    if (!fields.has(field)) file.issue(file.at(file.root), `${field} is missing`)
  const name = readName(file, fields.get('rule'), 'rule')
  const on = readName(file, fields.get('on'), 'on')
  const reader = kindOf(file, fields)
  const lateness = readDuration(file, fields.get('lateness')) ?? 0
  const grace = readGrace(file, fields.get('grace'), lateness)
  const idle = readDuration(file, fields.get('idle'))
  const within = readDuration(file, fields.get('within'), 1)
  const enabled = readBoolean(file, fields.get('enabled')) ?? true
  const description = file.text(fields.get('description'), 'description')
  const body = reader === undefined ? undefined : bodyOf(reader, { file, scope, fields, within, lateness, grace })
  const keyOf = readKeyOf(reader, file, scope, fields, body)
  if (body === undefined || reader === undefined) return undefined
  const outputs = readOutputs(file, scope, fields, body, { name, on, within })
  if (outputs === undefined || file.issues.length > 0 || keyOf === undefined) return undefined
  const { eventTypes, executable } = body
  const common = { name, description, kind: reader.kind, enabled, on, lateness, idle, within, eventTypes, executable }
  const onChange = readOneOf(file, fields.get('onChange'), ON_CHANGE)
  if (file.issues.length > 0) return undefined
  return assembleRule({ ...common, ...outputs, onChange, hash: hashOf(text), places: placesOf(file, fields), keyOf })
}

/** What becomes of matches, and the tests of it. */
function readOutputs(
  file: RuleFile,
  scope: RuleScope,
  fields: ReadonlyMap<string, Entry>,
  body: RuleBody,
  { name, on, within }: { readonly name: string; readonly on: string; readonly within: number | undefined },
): Pick<RuleParts, 'emit' | 'onTimeout' | 'suppress' | 'tests'> | undefined {
  const [emit, onTimeout] = ['emit', 'onTimeout'].map((field) => {
    const entry = fields.get(field)
    return entry === undefined ? undefined : readEmit(entry, name, scope, body)
  })
  if (fields.has('onTimeout') && within === undefined)
    file.issue(fields.get('onTimeout')?.keyAt ?? 0, 'onTimeout needs within')
  if (emit === undefined) return undefined
  checkLoop(file, fields, on, body, [emit, onTimeout])
  const suppress = readSuppress(fields.get('suppress'), scope, body, emit)
  const types = onTimeout === undefined ? [emit.event] : [emit.event, onTimeout.event]
  return { emit, onTimeout, suppress, tests: readTests(fields.get('tests'), scope, types) }
}

/** The one kind that the rule is of. */
function kindOf(file: RuleFile, fields: ReadonlyMap<string, Entry>): KindReader | undefined {
  const found = [...fields.values()].filter(({ key }) => KINDS.has(key))
  const [first, second] = found
  if (first === undefined) {
    const names = [...KINDS.keys()].join(', ')
    file.issue(file.at(file.root), KINDS.size === 1 ? `${names} is missing` : `one of ${names} is missing`)
    return undefined
  }
  if (second !== undefined) file.issue(second.keyAt, `a rule has one of ${first.key} and ${second.key}, not both`)
  const reader = KINDS.get(first.key) as KindReader
  for (const { key, keyAt } of fields.values())
    if (!COMMON.includes(key) && !KINDS.has(key) && !reader.fields.includes(key))
      file.issue(keyAt, `${key} means nothing with ${first.key}`)
  return reader
}

function bodyOf(reader: KindReader, context: KindContext): RuleBody | undefined {
  const { fields, file } = context
  const entry = [...fields.values()].find(({ key }) => KINDS.get(key) === reader) as Entry
  try {
    return reader.read(entry, context)
  } catch (error) {
    if (!isFault(error)) throw error
    // what an engine refuses although it was read: its own sentences, at the part that they are about
    const details = error.issues.length > 0 ? error.issues.map(({ detail }) => detail) : [messageOf(error)]
    for (const detail of details) file.issue(entry.keyAt, detail)
    return undefined
  }
}

function readKeyOf(
  reader: KindReader | undefined,
  file: RuleFile,
  scope: RuleScope,
  fields: ReadonlyMap<string, Entry>,
  body: RuleBody | undefined,
): Rule['keyOf'] | undefined {
  if (fields.has('key')) {
    const keyOf = readKey(fields.get('key'), scope, body?.eventTypes ?? [])
    return body?.keyOf ?? keyOf
  }
  const mayHaveOwn = body === undefined ? reader?.kind === 'correlate' : body.keyOf !== undefined
  if (!mayHaveOwn) file.issue(file.at(file.root), 'key is missing')
  return body?.keyOf
}

/** A rule that reads what it emits would go round for ever. */
function checkLoop(
  file: RuleFile,
  fields: ReadonlyMap<string, Entry>,
  on: string,
  { eventTypes }: RuleBody,
  outputs: readonly (Emit | undefined)[],
): void {
  outputs.forEach((emit, at) => {
    if (emit === undefined || !eventTypes.includes(emit.event) || (emit.to ?? on) !== on) return
    const entry = fields.get(at === 0 ? 'emit' : 'onTimeout')
    file.issue(
      entry?.keyAt ?? 0,
      `the rule would read the ${emit.event} that it emits; send it to another stream`,
      'RULE_CYCLIC',
    )
  })
}

/** With lateness nothing is raised, and who asks for both has misunderstood one of them. */
function readGrace(file: RuleFile, entry: Entry | undefined, lateness: number): number {
  const grace = readDuration(file, entry)
  if (lateness === 0) return grace ?? DEFAULT_GRACE
  if (grace !== undefined && grace > 0)
    file.issue(file.at(entry?.value, entry?.keyAt), 'grace is for rules without lateness; leave one of them out')
  return 0
}

function placesOf(file: RuleFile, fields: ReadonlyMap<string, Entry>): RulePlaces {
  const places = Array.from(fields.values(), ({ key, keyAt }) => [key, file.place(keyAt)] as const)
  return { file: file.file, fields: Object.fromEntries(places) }
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function byPlace(file: RuleFile) {
  if (file.issues.length === 0) file.issue(0, 'the rule cannot be read')
  return [...file.issues].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}
