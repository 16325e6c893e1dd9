import type { JsonSchema } from './contract-schema.js'

interface Walk {
  readonly root: JsonSchema
  readonly paths: Set<string>
}

/**
 * The dotted paths that data of a schema can have, `data` itself first. In a path `*` stands for any one name (of a
 * record) or index (of an array), and a last `**` for anything below: a part that the schema leaves open or that
 * contains itself.
 */
export function fieldsOf(schema: JsonSchema): readonly string[] {
  const walk: Walk = { root: schema, paths: new Set() }
  visit(walk, schema, 'data', [])
  return [...walk.paths]
}

/** Whether a dotted path such as `data.amount` is one of `fields`. */
export function isField(fields: readonly string[], path: string): boolean {
  const names = path.split('.')
  return fields.some((field) => {
    const known = field.split('.')
    const open = known.at(-1) === '**'
    if (open ? names.length < known.length : names.length !== known.length) return false
    return known.every((name, at) => name === '*' || name === '**' || name === names[at])
  })
}

function visit(walk: Walk, schema: JsonSchema, path: string, within: readonly JsonSchema[]): void {
  if (within.includes(schema)) {
    walk.paths.add(`${path}.**`)
    return
  }
  walk.paths.add(path)
  const inside = [...within, schema]
  const below = (part: unknown, name?: string): void => {
    if (isSchema(part)) visit(walk, part, name === undefined ? path : `${path}.${name}`, inside)
  }
  if (Object.keys(schema).every((name) => DESCRIPTIVE.has(name))) walk.paths.add(`${path}.**`)
  for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]) below(part)
  if (schema.$ref !== undefined) below(resolve(walk.root, schema.$ref))
  for (const [name, part] of Object.entries(schema.properties ?? {})) below(part, name)
  for (const part of schema.prefixItems ?? []) below(part, '*')
  below(schema.items, '*')
  below(schema.additionalProperties, '*')
}

const DESCRIPTIVE: ReadonlySet<string> = new Set(['$schema', 'title', 'description', 'default', 'examples', 'id'])

function isSchema(part: unknown): part is JsonSchema {
  return typeof part === 'object' && part !== null && !Array.isArray(part)
}

/** Follows `#` and `#/$defs/name`, the two forms of reference that zod writes. */
function resolve(root: JsonSchema, reference: string): JsonSchema | undefined {
  if (reference === '#') return root
  const found = root.$defs?.[reference.slice('#/$defs/'.length)]
  return isSchema(found) ? found : undefined
}
