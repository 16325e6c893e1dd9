/** The parts of a JSON Schema, draft-07, that are written for contracts and compared. */
export interface SchemaNode {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | SchemaNode
  readonly propertyNames?: SchemaNode
  readonly items?: SchemaNode | readonly SchemaNode[]
  readonly additionalItems?: boolean | SchemaNode
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly contentEncoding?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  readonly allOf?: readonly SchemaNode[]
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
  readonly not?: SchemaNode
  readonly default?: unknown
  readonly definitions?: Readonly<Record<string, SchemaNode>>
  /** Checks that JSON Schema has no words for; see recordedSchema. */
  readonly 'x-millrace-checks'?: readonly string[]
}

/** The keyword for checks that JSON Schema has no words for. */
export const CHECKS = 'x-millrace-checks'

/** Keywords that say nothing about which data is valid. */
export const DESCRIPTIVE: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  'id',
  'title',
  'description',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$comment',
])

export function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text that two values share if they are the same JSON: names in the order of the alphabet. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (!isNode(value)) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, part]) => `${JSON.stringify(name)}:${canonicalText(part)}`).join(',')}}`
}

/** What a reference of the forms `#` and `#/definitions/name` points at. */
export function resolveReference(root: SchemaNode, reference: string): SchemaNode | undefined {
  if (reference === '#') return root
  if (!reference.startsWith('#/definitions/')) return undefined
  const name = reference.slice('#/definitions/'.length).replaceAll('~1', '/').replaceAll('~0', '~')
  return root.definitions?.[name]
}
