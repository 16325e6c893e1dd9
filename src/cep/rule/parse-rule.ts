import { createHash } from 'node:crypto'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'
import { Slots, type Evaluate } from '../cel/slots.js'
import { patternFaults } from '../pattern/check-pattern.js'
import { compilePattern } from '../compile-pattern.js'
import { stageTypes, type Pattern, type Skip } from '../pattern/pattern.js'
import { readEmit } from './read-emit.js'
import { readSequence, readTypes, type Sequence } from './read-sequence.js'
import { RuleFile, type Entry } from './rule-file.js'
import { RuleScope } from './rule-scope.js'
import type { ContractLookup, Rule } from './rule.js'

const RULE_FIELDS = 'rule description on key events lateness grace sequence within skip emit'.split(' ')
const SKIPS = ['none', 'next', 'past-last'] as const

/** Grace of a rule that names none, in ms: clocks of producers that are kept by NTP differ by far less. */
const DEFAULT_GRACE = 10_000

/** How long nothing must come before time passes without an event, in ms, unless events may be later than that. */
const DEFAULT_IDLE = 10_000

export interface RuleOptions {
  /** For messages. */
  readonly file: string
  /** When given, event types and fields are checked against the contracts. */
  readonly contracts?: ContractLookup
}

/**
 * Reads a rule from YAML: `rule`, `on`, `key`, `sequence`, `within` and `emit`; optional `description`, `events` (more
 * event types that strict contiguity sees), `lateness` (events wait for that long and are put in order), `grace` (without
 * lateness: an event that is behind by at most that is taken at the time reached; default 10s, 0s turns it off), `skip`
 * (none, the default: every match is emitted; next; past-last). Conditions and values are CEL; they are compiled, never generated as code.
 * @throws RULE_INVALID with every problem of the file at its line and column
 */
export function parseRule(text: string, { file: name, contracts }: RuleOptions): Rule {
  const file = new RuleFile(text, name)
  const scope = new RuleScope(file, contracts)
  const rule = file.issues.length > 0 ? undefined : read(file, scope, text)
  if (rule === undefined || file.issues.length > 0)
    throw fault('RULE_INVALID', `${name}: ${file.issues.length} to correct`, { issues: byPlace(file) })
  return rule
}

function read(file: RuleFile, scope: RuleScope, text: string): Rule | undefined {
  const fields = file.entries(file.root, 'a rule', RULE_FIELDS)
  for (const field of ['rule', 'on', 'key', 'sequence', 'within', 'emit'])
    if (!fields.has(field)) file.issue(file.at(file.root), `${field} is missing`)
  const name = nameOf(file, fields.get('rule'), 'rule')
  const on = nameOf(file, fields.get('on'), 'on')
  const slots = new Slots()
  const sequenceEntry = fields.get('sequence')
  const sequence: Sequence =
    sequenceEntry === undefined ? { stages: [], scopes: new Map() } : readSequence(sequenceEntry, scope, slots)
  const eventsEntry = fields.get('events')
  const events = eventsEntry === undefined ? [] : readTypes(eventsEntry, scope)
  const eventTypes = [...new Set([...stageTypes(sequence.stages), ...events])]
  const keyOf = readKey(file, fields.get('key'), scope, eventTypes)
  const lateness = readDuration(file, fields.get('lateness')) ?? 0
  const grace = readGrace(file, fields.get('grace'), lateness)
  const within = readDuration(file, fields.get('within'))
  const skip = readSkip(file, fields.get('skip'))
  const emitEntry = fields.get('emit')
  const emit = emitEntry === undefined ? undefined : readEmit(emitEntry, name, scope, sequence.scopes)
  if (emit !== undefined && eventTypes.includes(emit.event) && (emit.to ?? on) === on)
    file.issue(emitEntry?.keyAt ?? 0, `the rule would read the ${emit.event} that it emits; send it to another stream`)
  if (file.issues.length > 0 || keyOf === undefined || emit === undefined || within === undefined) return undefined
  const pattern: Pattern = {
    stages: sequence.stages,
    within,
    skip,
    lateness,
    grace,
    events,
    aggregates: slots.aggregates,
  }
  const faults = patternFaults(pattern)
  for (const detail of faults) file.issue(sequenceEntry?.keyAt ?? 0, detail)
  if (faults.length > 0) return undefined
  return {
    name,
    description: file.text(fields.get('description'), 'description'),
    on,
    to: emit.to ?? on,
    eventTypes,
    executable: compilePattern(pattern),
    lateness,
    idle: Math.max(lateness, DEFAULT_IDLE),
    hash: createHash('sha256').update(text).digest('hex').slice(0, 32),
    emits: emit.event,
    severity: emit.severity,
    keyOf,
    emit: emit.draft,
  }
}

function byPlace(file: RuleFile) {
  return [...file.issues].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}

function nameOf(file: RuleFile, entry: Entry | undefined, what: string): string {
  const name = file.text(entry, what) ?? ''
  if (entry !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name))
    file.issue(file.at(entry.value, entry.keyAt), `${what} is a name of letters, digits, _ and -`)
  return name
}

function readKey(
  file: RuleFile,
  entry: Entry | undefined,
  scope: RuleScope,
  types: readonly string[],
): Rule['keyOf'] | undefined {
  const key = file.scalar(entry, 'key')
  if (key === undefined) return undefined
  const slots = new Slots()
  const over = { variables: ['data', 'type', 'id', 'time'], slots, types, all: true }
  const compiled = scope.compile(key.node, String(key.value), over)
  return compiled === undefined ? undefined : (event) => keyFrom(compiled.evaluate, event)
}

function keyFrom(evaluate: Evaluate, event: Parameters<Evaluate>[0]): string | undefined {
  let key: unknown
  try {
    key = evaluate(event, [], '')
  } catch (error) {
    // By contract of keyOf: an event without what the key is made of has no key.
    if (isFault(error, 'EXPRESSION_FAILED')) return undefined
    throw error
  }
  if (typeof key === 'string') return key === '' ? undefined : key
  return typeof key === 'number' || typeof key === 'boolean' ? String(key) : undefined
}

function readDuration(file: RuleFile, entry: Entry | undefined): number | undefined {
  const found = file.scalar(entry, entry?.key ?? '')
  if (found === undefined) return undefined
  try {
    const ms = parseDuration(found.value === 0 ? 0 : String(found.value))
    if (entry?.key === 'within' && ms <= 0) file.issue(file.at(found.node), 'within must be more than 0')
    return ms
  } catch (error) {
    file.issue(file.at(found.node), messageOf(error))
    return undefined
  }
}

/** With lateness nothing is raised, and who asks for both has misunderstood one of them. */
function readGrace(file: RuleFile, entry: Entry | undefined, lateness: number): number {
  const grace = readDuration(file, entry)
  if (lateness === 0) return grace ?? DEFAULT_GRACE
  if (grace !== undefined && grace > 0)
    file.issue(file.at(entry?.value, entry?.keyAt), 'grace is for rules without lateness; leave one of them out')
  return 0
}

function readSkip(file: RuleFile, entry: Entry | undefined): Skip {
  const found = file.text(entry, 'skip')
  const type = SKIPS.find((name) => name === found)
  if (found !== undefined && type === undefined)
    file.issue(file.at(entry?.value, entry?.keyAt), `skip is one of ${SKIPS.join(', ')}`)
  return { type: type ?? 'none' }
}
