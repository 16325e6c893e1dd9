import { isMap, isScalar, isSeq, type Node } from 'yaml'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import { fault, messageOf } from '../../error/millrace-error.js'
import type { StageScope } from '../cel/scope.js'
import { Slots, type Evaluate } from '../cel/slots.js'
import type { Match } from '../engine/match.js'
import type { Bound } from '../pattern/pattern.js'
import type { Entry } from './rule-file.js'
import type { RuleScope } from './rule-scope.js'

const EMIT_FIELDS = ['event', 'severity', 'to', 'key', 'data']
const EMIT_VARIABLES = ['key', 'time']
const HINT = `; a text is quoted twice: '"text"'`

/** What a rule makes of a match. */
export interface Emit {
  readonly event: string
  readonly severity: string | undefined
  readonly to: string | undefined
  readonly draft: (match: Match) => EventDraft
}

/** Reads `emit: { event, severity, to, key, data }`. Values of `data` are expressions, or mappings and lists of them. */
export function readEmit(
  entry: Entry,
  rule: string,
  scope: RuleScope,
  stages: ReadonlyMap<string, StageScope>,
): Emit | undefined {
  const { file } = scope
  const fields = file.entries(entry.value, 'emit', EMIT_FIELDS, entry.keyAt)
  const event = file.text(fields.get('event'), 'event')
  if (event === undefined) {
    if (isMap(entry.value) && !fields.has('event')) file.issue(entry.keyAt, 'emit: event is missing')
    return undefined
  }
  scope.checkType(event, file.at(fields.get('event')?.value))
  const severity = file.text(fields.get('severity'), 'severity')
  if (severity !== undefined && !/^[a-z][a-z0-9-]*$/.test(severity))
    file.issue(file.at(fields.get('severity')?.value), 'severity is one lower-case word, such as high')
  const reader = new EmitReader(scope, stages, event)
  const key = fields.has('key')
    ? reader.value(fields.get('key')?.value ?? null, fields.get('key')?.keyAt ?? 0, null)
    : null
  const data = fields.get('data')
  const make = data === undefined ? () => ({}) : reader.value(data.value, data.keyAt, 'data')
  const draft = (match: Match) => draftOf(rule, { event, severity, make, key, slots: reader.slots }, match)
  return { event, severity, to: file.text(fields.get('to'), 'to'), draft }
}

class EmitReader {
  readonly slots = new Slots()
  readonly #scope: RuleScope
  readonly #stages: ReadonlyMap<string, StageScope>
  readonly #event: string

  constructor(scope: RuleScope, stages: ReadonlyMap<string, StageScope>, event: string) {
    this.#scope = scope
    this.#stages = stages
    this.#event = event
  }

  /** How to make one value. `path`: where it goes in the emitted event, to be checked against its contract. */
  value(node: Node | null, otherwise: number, path: string | null): Evaluate {
    const { file } = this.#scope
    if (isMap(node)) {
      const entries = file.pairs(node, 'data').map(({ key, keyAt, value }) => {
        const inner = path === null ? null : `${path}.${key}`
        const problem = inner === null ? undefined : this.#scope.fieldProblem([this.#event], inner, false)
        if (problem !== undefined) file.issue(keyAt, problem)
        return [key, this.value(value, keyAt, problem === undefined ? inner : null)] as const
      })
      return (e, b, k) => Object.fromEntries(entries.map(([key, of]) => [key, at(key, of, e, b, k)]))
    }
    if (isSeq(node)) {
      const items = (node.items as Node[]).map((item) => this.value(item, file.at(item, otherwise), null))
      return (e, b, k) => items.map((of) => of(e, b, k))
    }
    if (!isScalar(node) || node.value === undefined) {
      file.issue(file.at(node, otherwise), 'must be an expression, a mapping or a list')
      return () => null
    }
    const { value } = node
    if (typeof value !== 'string') return () => value
    const compiled = this.#scope.compile(node, value, {
      variables: EMIT_VARIABLES,
      stages: this.#stages,
      slots: this.slots,
      types: [],
      hint: HINT,
    })
    return compiled?.evaluate ?? (() => null)
  }
}

/** Says which field it was that could not be made. */
function at(key: string, of: Evaluate, event: StoredEvent, bound: Bound, matchKey: string): unknown {
  try {
    return of(event, bound, matchKey)
  } catch (error) {
    throw fault('EXPRESSION_FAILED', `${key}: ${messageOf(error)}`, { cause: error })
  }
}

interface Recipe {
  readonly event: string
  readonly severity: string | undefined
  readonly make: Evaluate
  readonly key: Evaluate | null
  readonly slots: Slots
}

function draftOf(rule: string, { event, severity, make, key, slots }: Recipe, match: Match): EventDraft {
  const bound = slots.aggregates.map(({ stage, initial, add }) =>
    (match.stages[stage] ?? []).reduce((value: unknown, taken) => add(value, taken), initial),
  )
  const current = { ...match.last, time: match.time }
  try {
    const madeKey = key === null ? undefined : key(current, bound, match.key)
    return {
      type: event,
      version: 1,
      data: make(current, bound, match.key),
      key: madeKey === undefined || madeKey === null ? undefined : String(madeKey),
      id: undefined,
      source: undefined,
      time: match.time,
      correlationId: match.last.correlationId,
      causationId: match.last.id,
      attributes: severity === undefined ? {} : { severity },
    }
  } catch (error) {
    throw fault('RULE_EMIT_FAILED', `${rule}, key ${match.key}: ${messageOf(error)}`, { cause: error })
  }
}
