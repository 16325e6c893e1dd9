import type { Issue } from '../error/millrace-error.js'
import { isRecord } from './unknown-json.js'

// What a provider can be held to. The SDK closes each object, so that keys without names never come; and what says of a value
// nothing at all, or something for each place of a list, it cannot send: that would show with the first call.

const SAYS = ['type', 'anyOf', 'oneOf', 'allOf', 'enum', 'const'] as const
const ALTERNATIVES = ['anyOf', 'oneOf', 'allOf'] as const

/**
 * What of a JSON Schema no model can be asked for; empty: all of it can be. Pure.
 * @returns with pointers into the result; `*` stands for each item of a list
 */
export function unaskable(document: Readonly<Record<string, unknown>>): readonly Issue[] {
  const issues: Issue[] = []
  const seen = new Set<unknown>()
  const definitions = isRecord(document['$defs']) ? document['$defs'] : {}
  const visit = (schema: unknown, pointer: string): void => {
    if (!isRecord(schema) || seen.has(schema)) return
    seen.add(schema)
    const refused = (detail: string): void => void issues.push({ pointer, detail })
    const { $ref: reference, properties, additionalProperties: others, items } = schema
    if (typeof reference === 'string') return visit(definitions[reference.replace('#/$defs/', '')], pointer)
    if (!SAYS.some((word) => schema[word] !== undefined)) return refused('any value, or none, cannot be asked for')
    if (schema['prefixItems'] !== undefined) return refused('a tuple cannot be asked for; use an object')
    const named = Object.entries(isRecord(properties) ? properties : {})
    if (isRecord(others) && (named.length === 0 || Object.keys(others).length > 0))
      refused('keys without names cannot be asked for; use a list of objects that have the key')
    for (const [name, one] of named) visit(one, `${pointer}/${name}`)
    visit(items, `${pointer}/*`)
    for (const word of ALTERNATIVES) for (const one of listOf(schema[word])) visit(one, pointer)
  }
  visit(document, '')
  return issues
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
