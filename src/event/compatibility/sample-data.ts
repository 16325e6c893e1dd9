import { resolveReference, type SchemaNode } from './schema-node.js'

const DEEPEST = 6
const MOST = 24
const TEXTS = [
  'text',
  'a',
  '1',
  '2024-02-29T12:00:00Z',
  '2024-02-29',
  '12:00:00',
  'P1D',
  'someone@example.com',
  'https://example.com/',
  '123e4567-e89b-42d3-a456-426614174000',
  '192.0.2.1',
  '2001:db8::1',
  'abcdef0123456789',
  'AAAA',
]

/**
 * Some data that a schema takes: with all fields and with those alone that have to be there, one of each variant and
 * value. Empty where nothing is known to fit, such as a text for a pattern. The same for the same schema.
 */
export function samplesOf(root: SchemaNode): readonly unknown[] {
  const seen = new Map([...samples(root, root, 0)].map((sample) => [JSON.stringify(sample), sample]))
  return [...seen.values()].slice(0, MOST)
}

function samples(root: SchemaNode, node: SchemaNode, depth: number): readonly unknown[] {
  if (depth > DEEPEST) return []
  if (node.$ref !== undefined) {
    const found = resolveReference(root, node.$ref)
    return found === undefined ? [] : samples(root, found, depth + 1)
  }
  const union = node.anyOf ?? node.oneOf
  if (union !== undefined) return union.flatMap((part) => samples(root, part, depth + 1))
  if (node.allOf?.length === 1 && node.type === undefined) return samples(root, node.allOf[0] as SchemaNode, depth + 1)
  if ('const' in node) return [node.const]
  if (node.enum !== undefined) return node.enum
  const types = Array.isArray(node.type) ? (node.type as readonly string[]) : [node.type as string | undefined]
  return types.flatMap((type) => ofType(root, node, type, depth))
}

function ofType(root: SchemaNode, node: SchemaNode, type: string | undefined, depth: number): readonly unknown[] {
  switch (type) {
    case 'string':
      return text(node)
    case 'number':
    case 'integer':
      return number(node, type === 'integer')
    case 'boolean':
      return [true, false]
    case 'null':
      return [null]
    case 'array':
      return list(root, node, depth)
    case 'object':
      return object(root, node, depth)
    default:
      return Object.keys(node).length === 0 ? ['text', null] : []
  }
}

function text({ minLength = 0, maxLength = Infinity, pattern, format, allOf, contentEncoding }: SchemaNode): unknown[] {
  if (allOf !== undefined || contentEncoding !== undefined) return []
  if (pattern === undefined && format === undefined) return [TEXTS[0]?.padEnd(minLength, 'x').slice(0, maxLength)]
  if (pattern === undefined) return format === 'uri' ? ['https://example.com/'] : []
  const expression = compiled(pattern)
  const fitting = TEXTS.find((each) => each.length >= minLength && each.length <= maxLength && expression?.test(each))
  return fitting === undefined ? [] : [fitting]
}

function compiled(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern)
  } catch {
    return undefined // it needs a flag that a schema cannot say
  }
}

function number(node: SchemaNode, integer: boolean): unknown[] {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum, exclusiveMaximum, multipleOf, allOf } = node
  if (allOf !== undefined) return []
  const from = exclusiveMinimum === undefined ? minimum : Math.max(minimum, exclusiveMinimum)
  const candidates = [
    1,
    0,
    from,
    from + 1,
    from + 0.5,
    maximum,
    -1,
    multipleOf ?? 1,
    (multipleOf ?? 1) * Math.ceil(from),
  ]
  return candidates
    .filter((each) => Number.isFinite(each) && each >= minimum && each <= maximum)
    .filter((each) => (exclusiveMinimum ?? -Infinity) < each && each < (exclusiveMaximum ?? Infinity))
    .filter((each) => (!integer || Number.isSafeInteger(each)) && (multipleOf === undefined || each % multipleOf === 0))
    .slice(0, 2)
}

function list(root: SchemaNode, { items, minItems = 0, maxItems = 2 }: SchemaNode, depth: number): unknown[] {
  if (Array.isArray(items)) {
    const each = (items as readonly SchemaNode[]).map((item) => samples(root, item, depth + 1)[0])
    return each.includes(undefined) ? [] : [each]
  }
  const item = items === undefined ? [] : samples(root, items as SchemaNode, depth + 1)
  const most = Math.min(maxItems, Math.max(minItems, item.length))
  if (item.length === 0) return minItems === 0 ? [[]] : []
  const full = Array.from({ length: most }, (_, at) => item[at % item.length])
  return minItems === 0 && most > 0 ? [full, []] : [full]
}

function object(root: SchemaNode, { properties = {}, required = [] }: SchemaNode, depth: number): unknown[] {
  const fields = Object.entries(properties).map(([name, node]) => ({ name, values: samples(root, node, depth + 1) }))
  const has = new Set(required)
  if (fields.some(({ name, values }) => has.has(name) && values.length === 0)) return []
  if (required.some((name) => !Object.hasOwn(properties, name))) return []
  const made = fields.filter(({ values }) => values.length > 0)
  const whole = Object.fromEntries(made.map(({ name, values }) => [name, values[0]]))
  const least = Object.fromEntries(
    made.filter(({ name }) => has.has(name)).map(({ name, values }) => [name, values[0]]),
  )
  const others = made.flatMap(({ name, values }) => values.slice(1).map((value) => ({ ...whole, [name]: value })))
  return [whole, least, ...others]
}
