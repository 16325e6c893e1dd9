import { isMap, isScalar, isSeq, type Node } from 'yaml'
import { isField } from '../../event/contract-fields.js'
import type { Kinds } from '../cel/check-kinds.js'
import { Slots, type Evaluate } from '../cel/slots.js'
import type { Found, Match } from '../engine/match.js'
import { emitDraft, named, type DraftOf } from './emit-draft.js'
import type { Entry } from './rule-file.js'
import type { RuleBody } from './rule-kind.js'
import type { RuleScope } from './rule-scope.js'

const EMIT_FIELDS = ['event', 'severity', 'to', 'key', 'data']
/** What an expression about a match may name, beside stages and what was computed. */
const MATCH_VARIABLES = ['key', 'time']
const HINT = `; a text is quoted twice: '"text"'`

/** What a rule makes of a match. */
export interface Emit {
  readonly event: string
  readonly severity: string | undefined
  readonly to: string | undefined
  readonly draft: DraftOf
}

/** What expressions about a match know. */
export type About = Pick<RuleBody, 'stages' | 'values' | 'valuesOf'>

/** Reads `emit: { event, severity, to, key, data }`. Values of `data` are expressions, or mappings and lists of them. */
export function readEmit(entry: Entry, rule: string, scope: RuleScope, body: About): Emit | undefined {
  const { file } = scope
  const fields = file.entries(entry.value, entry.key, EMIT_FIELDS, entry.keyAt)
  const event = file.text(fields.get('event'), 'event')
  if (event === undefined) {
    if (isMap(entry.value) && !fields.has('event')) file.issue(entry.keyAt, `${entry.key}: event is missing`)
    return undefined
  }
  scope.checkType(event, file.at(fields.get('event')?.value))
  const severity = file.text(fields.get('severity'), 'severity')
  if (severity !== undefined && !/^[a-z][a-z0-9-]{0,31}$/.test(severity))
    file.issue(file.at(fields.get('severity')?.value), 'severity is one lower-case word, such as high')
  const to = file.text(fields.get('to'), 'to')
  if (to !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(to))
    file.issue(file.at(fields.get('to')?.value), 'to is the name of a stream')
  const reader = new EmitReader(scope, body, event)
  const keyEntry = fields.get('key')
  const key = keyEntry === undefined ? null : reader.value(keyEntry.value, keyEntry.keyAt, null).evaluate
  const data = fields.get('data')
  const make = data === undefined ? () => ({}) : reader.value(data.value, data.keyAt, 'data').evaluate
  reader.checkRequired(data, entry.keyAt)
  return {
    event,
    severity,
    to,
    draft: emitDraft(rule, { event, severity, make, key, slots: reader.slots, valuesOf: body.valuesOf }),
  }
}

interface Made {
  readonly evaluate: Evaluate
  readonly kinds: Kinds
}

const NOTHING: Made = { evaluate: () => null, kinds: undefined }

class EmitReader {
  readonly slots = new Slots()
  readonly #scope: RuleScope
  readonly #body: About
  readonly #event: string

  constructor(scope: RuleScope, body: About, event: string) {
    this.#scope = scope
    this.#body = body
    this.#event = event
  }

  /** How to make one value. `path`: where it goes in the emitted event, to be checked against its contract. */
  value(node: Node | null, otherwise: number, path: string | null): Made {
    const { file } = this.#scope
    if (isMap(node)) return this.#map(node, path)
    if (isSeq(node)) {
      const items = (node.items as Node[]).map((item) => this.value(item, file.at(item, otherwise), null).evaluate)
      return { evaluate: (e, b, k) => items.map((of) => of(e, b, k)), kinds: new Set(['list']) }
    }
    if (!isScalar(node) || node.value === undefined) {
      file.issue(file.at(node, otherwise), 'must be an expression, a mapping or a list')
      return NOTHING
    }
    const { value } = node
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) {
      file.issue(file.at(node, otherwise), 'is a number that JSON cannot carry')
      return NOTHING
    }
    if (typeof value !== 'string') return { evaluate: () => value, kinds: constantKinds(value) }
    const compiled = this.#scope.compile(node, value, {
      variables: MATCH_VARIABLES,
      stages: this.#body.stages,
      values: this.#body.values,
      slots: this.slots,
      types: [],
      hint: HINT,
    })
    return compiled ?? NOTHING
  }

  /** Notes what the contract of the event needs and the rule does not give. */
  checkRequired(data: Entry | undefined, otherwise: number): void {
    const { file } = this.#scope
    const given = new Set(data !== undefined && isMap(data.value) ? data.value.items.map(({ key }) => nameOf(key)) : [])
    if (data !== undefined && !isMap(data.value)) return
    for (const path of this.#scope.contract(this.#event)?.required ?? [])
      if (!given.has(path.slice('data.'.length)))
        file.issue(data?.keyAt ?? otherwise, `${this.#event} needs ${path}, which is not given`)
  }

  #map(node: Node, path: string | null): Made {
    const { file } = this.#scope
    const entries = file.pairs(node, 'data').map(({ key, keyAt, value }) => {
      const inner = path === null ? null : `${path}.${key}`
      const problem = inner === null ? undefined : this.#scope.fieldProblem([this.#event], inner, false)
      if (problem !== undefined) file.issue(keyAt, problem)
      const made = this.value(value, keyAt, problem === undefined ? inner : null)
      if (problem === undefined && inner !== null) this.#checkKinds(inner, made.kinds, file.at(value, keyAt))
      return [key, made.evaluate] as const
    })
    return {
      evaluate: (e, b, k) => Object.fromEntries(entries.map(([key, of]) => [key, named(key, of, e, b, k)])),
      kinds: new Set(['map']),
    }
  }

  #checkKinds(path: string, kinds: Kinds, at: number): void {
    const contract = this.#scope.contract(this.#event)
    if (kinds === undefined || contract === undefined || !isField(contract.fields, path)) return
    const wanted = contract.kindsAt?.(path)
    if (wanted === undefined || [...kinds].some((kind) => wanted.has(kind))) return
    const [is, needs] = [[...kinds].join(' or '), [...wanted].join(' or ')]
    this.#scope.file.issue(at, `${path} of ${this.#event} is ${needs}, and this gives ${is}`, 'EXPRESSION_INVALID')
  }
}

function nameOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}

function constantKinds(value: unknown): Kinds {
  return value === null ? new Set(['null']) : typeof value === 'boolean' ? new Set(['boolean']) : new Set(['number'])
}

/** Reads a list of expressions about a match, or one, as a function to a text: alike are those with the same text. */
export function readGrouping(
  entry: Entry,
  scope: RuleScope,
  body: About,
  emit: Emit,
): ((match: Match) => string) | undefined {
  const { file } = scope
  const slots = new Slots()
  const nodes = isSeq(entry.value) ? (entry.value.items as Node[]) : [entry.value]
  const parts = nodes.flatMap((node) => {
    if (!isScalar(node) || typeof node.value !== 'string') {
      file.issue(file.at(node, entry.keyAt), `${entry.key} is an expression or a list of them`)
      return []
    }
    const variables = [...MATCH_VARIABLES, 'data']
    const over = { variables, stages: body.stages, values: body.values, slots, types: [emit.event], hint: HINT }
    const compiled = scope.compile(node, node.value, over)
    return compiled === undefined ? [] : [compiled.evaluate]
  })
  if (parts.length === 0) {
    if (nodes.length === 0) file.issue(file.at(entry.value, entry.keyAt), `${entry.key} is empty`)
    return undefined
  }
  return (match: Match & Found) => {
    const bound = slots.bound(match.stages)
    const event = {
      ...match.last,
      time: match.time,
      values: body.valuesOf?.(match) ?? match.values ?? {},
      data: emit.draft(match).data,
    }
    return JSON.stringify(parts.map((part) => part(event, bound, match.key)))
  }
}
