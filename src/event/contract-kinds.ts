import type { JsonSchema } from './contract-schema.js'

/** What JSON knows. */
export type DataKind = 'string' | 'number' | 'boolean' | 'null' | 'list' | 'map'

const KINDS: Readonly<Record<string, DataKind>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
  array: 'list',
  object: 'map',
}

/**
 * What can be at a dotted path such as `data.amount` of data with this schema; undefined where the schema leaves it
 * open, or where it is not told.
 */
export function kindsAt(schema: JsonSchema, path: string): ReadonlySet<DataKind> | undefined {
  const [, ...names] = path.split('.')
  let at: readonly JsonSchema[] = plain(schema, schema)
  for (const name of names) at = at.flatMap((part) => below(part, name).flatMap((inner) => plain(schema, inner)))
  const kinds = new Set<DataKind>()
  for (const part of at) {
    const found = kindsOf(part)
    if (found === undefined) return undefined
    for (const kind of found) kinds.add(kind)
  }
  return kinds.size === 0 ? undefined : kinds
}

/** The paths of the data that must be there and that nothing fills in, `data.` first. Only the outermost level. */
export function requiredOf(schema: JsonSchema): readonly string[] {
  const { properties = {}, required = [] } = schema
  return required.filter((name) => !hasDefault(properties[name])).map((name) => `data.${name}`)
}

function hasDefault(schema: unknown): boolean {
  return isSchema(schema) && 'default' in schema
}

/** A schema as those that say what it is themselves: alternatives taken apart, references followed. */
function plain(root: JsonSchema, schema: JsonSchema, depth = 0): readonly JsonSchema[] {
  if (depth > 20) return [{}]
  const parts = schema.anyOf ?? schema.oneOf
  if (parts !== undefined) return parts.flatMap((part) => (isSchema(part) ? plain(root, part, depth + 1) : [{}]))
  if (schema.$ref === undefined) return [schema]
  const found = schema.$ref === '#' ? root : root.$defs?.[schema.$ref.slice('#/$defs/'.length)]
  return isSchema(found) ? plain(root, found, depth + 1) : [{}]
}

function below(schema: JsonSchema, name: string): readonly JsonSchema[] {
  if (schema.allOf !== undefined) return [{}]
  const property = schema.properties?.[name]
  if (isSchema(property)) return [property]
  if (property === undefined && isSchema(schema.additionalProperties)) return [schema.additionalProperties]
  return [{}]
}

function kindsOf(schema: JsonSchema): readonly DataKind[] | undefined {
  if (schema.allOf !== undefined) return undefined
  if (schema.const !== undefined) return [kindOf(schema.const)]
  if (schema.enum !== undefined) return schema.enum.map(kindOf)
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type]
  const kinds = types.map((type) => (typeof type === 'string' ? KINDS[type] : undefined))
  return kinds.includes(undefined) ? undefined : (kinds as DataKind[])
}

export function kindOf(value: unknown): DataKind {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'list'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'map'
}

function isSchema(part: unknown): part is JsonSchema {
  return typeof part === 'object' && part !== null && !Array.isArray(part)
}
