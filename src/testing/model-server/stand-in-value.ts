import { isRecord } from './model-request.js'

/** How deep a schema that refers to itself is followed. */
const DEEPEST = 8

/**
 * A value that a JSON Schema allows: the first of what it lists, the least of what it bounds, and the text `stand-in`
 * for any text. For what structured output uses of JSON Schema; `pattern` and `format` are not minded.
 */
export function standInValue(schema: unknown): unknown {
  return valueOf(schema, schema, 0)
}

function valueOf(schema: unknown, root: unknown, depth: number): unknown {
  if (!isRecord(schema) || depth > DEEPEST) return null
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  if (typeof schema['$ref'] === 'string') return valueOf(referred(schema['$ref'], root), root, depth + 1)
  for (const name of ['anyOf', 'oneOf', 'allOf']) {
    const some = schema[name]
    if (Array.isArray(some)) return valueOf(some[0], root, depth + 1)
  }
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type']
  switch (type) {
    case 'object':
      return objectOf(schema, root, depth)
    case 'array':
      return Array.from({ length: Number(schema['minItems'] ?? 0) }, () => valueOf(schema['items'], root, depth + 1))
    case 'string':
      return 'stand-in'.padEnd(Number(schema['minLength'] ?? 0), '-').slice(0, Number(schema['maxLength'] ?? Infinity))
    case 'integer':
    case 'number':
      return numberOf(schema)
    case 'boolean':
      return false
    default:
      return null
  }
}

function objectOf(schema: Readonly<Record<string, unknown>>, root: unknown, depth: number): unknown {
  const members = isRecord(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const wanted = Object.entries(members).filter(([name]) => required.includes(name))
  return Object.fromEntries(wanted.map(([name, member]) => [name, valueOf(member, root, depth + 1)]))
}

function numberOf(schema: Readonly<Record<string, unknown>>): number {
  const above = schema['exclusiveMinimum']
  const least = Number(schema['minimum'] ?? (typeof above === 'number' ? above + 1 : 0))
  return Math.min(least, Number(schema['maximum'] ?? Infinity))
}

/** `#/$defs/name`. */
function referred(reference: string, root: unknown): unknown {
  const path = reference.replace(/^#\/?/, '').split('/').filter(Boolean)
  return path.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), root)
}
