import { compileCel } from '../../cep/cel/compile-cel.js'
import { Slots } from '../../cep/cel/slots.js'
import { fault, isFault } from '../../error/millrace-error.js'
import { isField } from '../../event/contract-fields.js'
import type { StoredEvent } from '../../event/event.js'
import { nearestName } from '../../event/nearest-name.js'
import type { Registry } from '../../event/registry.js'

/**
 * What is known about what should have been found.
 *
 * - `condition`: an event for which it holds should be part of a match.
 * - `event`: an event of this type says that something should have been found for its key before it.
 */
export type Label =
  | { readonly kind: 'condition'; readonly text: string; readonly holds: (event: StoredEvent) => boolean | undefined }
  | { readonly kind: 'event'; readonly text: string; readonly type: string }

const VARIABLES = ['data', 'type', 'id', 'time']

/**
 * Reads a label: the name of an event type, or a CEL condition over an event such as `data.isFraud`.
 * @param types that the rule reads; at least one of them must have the fields that the condition names
 * @throws LABEL_INVALID
 */
export function parseLabel(text: string, registry: Registry, types: readonly string[]): Label {
  if (registry.get(text) !== undefined) return { kind: 'event', text, type: text }
  const compiled = compileCel(text, {
    variables: VARIABLES,
    stages: new Map(),
    slots: new Slots(),
    fieldProblem: (_, path) => fieldProblem(registry, types, path),
  })
  if (!compiled.ok) throw invalid(text, compiled.problems.map(({ detail }) => detail).join('; '), registry)
  const { evaluate } = compiled
  return { kind: 'condition', text, holds: (event) => truthOf(evaluate, event) }
}

/** What people mark with: true, 1, "1", "true", "yes", "fraud" alike are marks; false, 0, "", null, "false", "no" are not. */
function truthOf(evaluate: (event: StoredEvent, bound: [], key: string) => unknown, event: StoredEvent) {
  let value: unknown
  try {
    value = evaluate(event, [], '')
  } catch (error) {
    if (isFault(error, 'EXPRESSION_FAILED')) return undefined // by contract: an event that does not say
    throw error
  }
  if (typeof value === 'string') return !['', '0', 'false', 'no'].includes(value.toLowerCase())
  return value !== false && value !== null && value !== undefined && Number(value) !== 0
}

function fieldProblem(registry: Registry, types: readonly string[], path: string): string | undefined {
  const known = types.flatMap((type) => registry.get(type) ?? [])
  const fields = known.flatMap((contract) => contract.fields())
  if (known.length < types.length || isField(fields, path)) return undefined
  const nearest = nearestName(path, fields)
  return `${types.join(', ')} has no ${path}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`
}

function invalid(text: string, detail: string, registry: Registry) {
  const nearest = registry.nearest(text)
  const hint = nearest === undefined ? '' : `; or the event type ${nearest}?`
  return fault('LABEL_INVALID', `${JSON.stringify(text)}: ${detail}${hint}`)
}
