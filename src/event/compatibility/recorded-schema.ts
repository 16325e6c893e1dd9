import { z } from 'zod'
import type { EventContract } from '../contract.js'
import { CHECKS, DESCRIPTIVE, isNode, type SchemaNode } from './schema-node.js'

// What zod checks and JSON Schema cannot say is named beside the keywords, so that a comparison knows that there is
// something: a refinement that was added may refuse what was written before. What a refinement does stays unseen.

interface Check {
  readonly _zod: { readonly def: CheckDefinition }
}
interface CheckDefinition {
  readonly check?: string
  readonly format?: string
  readonly pattern?: RegExp
  readonly hostname?: RegExp
  readonly protocol?: RegExp
  readonly alg?: string
}

/** Checks whose JSON Schema says all of them. */
const SAID: ReadonlySet<string> = new Set([
  'greater_than',
  'less_than',
  'multiple_of',
  'number_format',
  'min_length',
  'max_length',
  'length_equals',
])
/** Formats that are more than a pattern. */
const BY_CODE: ReadonlySet<string> = new Set(['ipv6', 'cidrv6', 'base64', 'base64url', 'jwt', 'json_string', 'url'])
/** Not formats of JSON Schema: their pattern says what they are. */
const ONLY_PATTERN: ReadonlySet<string> = new Set(['starts_with', 'ends_with', 'includes', 'lowercase', 'uppercase'])
/** Types without a JSON form that a contract may have nevertheless. */
const WITHOUT_FORM: ReadonlySet<string> = new Set(['custom', 'undefined', 'void', 'function', 'success', 'catch'])

/**
 * The JSON Schema (draft-07) of the data that a contract takes, as it is recorded and compared: without descriptions, in
 * one order whatever the order of the declaration, `x-millrace-checks` naming what has no keyword.
 */
export function recordedSchema(contract: Pick<EventContract, 'schema'>): SchemaNode {
  return ordered(inputSchema(contract, nameChecks)) as SchemaNode
}

/** The same with its descriptions, for documents: what a publisher may write. */
export function describedSchema(contract: Pick<EventContract, 'schema'>): SchemaNode {
  const { $schema: _, ...schema } = inputSchema(contract, () => undefined) as Record<string, unknown>
  return schema as SchemaNode
}

type Override = (part: { zodSchema: z.core.$ZodTypes; jsonSchema: z.core.JSONSchema.BaseSchema }) => void

function inputSchema({ schema }: Pick<EventContract, 'schema'>, override: Override): unknown {
  // through text: undefined members and what a default shares with the declaration are gone
  const document = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any', override })
  return JSON.parse(JSON.stringify(document))
}

function nameChecks({ zodSchema, jsonSchema }: Parameters<Override>[0]): void {
  const { def, traits } = zodSchema._zod
  const found: string[] = []
  if (WITHOUT_FORM.has(def.type)) found.push(def.type)
  if (def.type === 'literal' && def.values.includes(undefined)) found.push('undefined')
  if (def.type === 'pipe') found.push('preprocess')
  if (def.type === 'intersection' && /"additionalProperties":\{/.test(JSON.stringify(jsonSchema.allOf ?? [])))
    found.push('intersection')
  if (def.type === 'record') found.push(...ofNames(def.keyType))
  const checks = (def.checks ?? []) as unknown as readonly Check[]
  const all = traits.has('$ZodCheck') ? [zodSchema as unknown as Check, ...checks] : checks
  const named = all.some(({ _zod: check }) => flagsOf(check.def) !== '')
  for (const { _zod: check } of all) found.push(...nameOf(check.def, jsonSchema.format, named))
  // a pattern without its flags is another one
  if (named) for (const keyword of ['pattern', 'allOf'] as const) delete jsonSchema[keyword]
  if (jsonSchema.format !== undefined && ONLY_PATTERN.has(jsonSchema.format)) delete jsonSchema.format
  if (found.length === 0) return
  const known = jsonSchema[CHECKS]
  jsonSchema[CHECKS] = [...(Array.isArray(known) ? known : []), ...found].sort()
}

function nameOf(definition: CheckDefinition, written: string | undefined, withPatterns: boolean): string[] {
  const { check = '', format = '', pattern } = definition
  if (SAID.has(check)) return []
  if (check !== 'string_format') return [check === 'custom' ? 'refinement' : check]
  const patterns = withPatterns && pattern !== undefined ? [String(pattern)] : []
  const options = [definition.hostname, definition.protocol, definition.alg].filter((option) => option !== undefined)
  if (options.length > 0) return [[format, ...options].join(' '), ...patterns]
  const byCode = BY_CODE.has(format) || pattern === undefined
  const isUnsaid = written === undefined || ONLY_PATTERN.has(written) || !sameFormat(format, written)
  return byCode && isUnsaid ? [format, ...patterns] : patterns
}

/** Flags that make another pattern of the same text; those of zod’s own formats are the same everywhere. */
function flagsOf({ check, format, pattern }: CheckDefinition): string {
  return check === 'string_format' && format === 'regex' ? (pattern?.flags ?? '') : ''
}

function sameFormat(format: string, written: string): boolean {
  return written === format || (format === 'url' && written === 'uri') || written === format.replace('_', '-')
}

/** What names of a record have to be and the schema of names cannot say: names are texts, so that it loses limits of numbers. */
function ofNames(names: z.core.$ZodType): string[] {
  const { type } = (names as z.core.$ZodTypes)._zod.def
  if (['string', 'enum', 'literal', 'template_literal'].includes(type)) return []
  return [`names ${JSON.stringify(z.toJSONSchema(names, { io: 'input', unrepresentable: 'any' }))}`]
}

const FIRST = [
  '$schema',
  '$ref',
  'type',
  'format',
  'const',
  'enum',
  'anyOf',
  'oneOf',
  'allOf',
  'properties',
  'required',
]

/** Without descriptions; keywords in one order, properties and definitions by name, `required` and values as they are. */
function ordered(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(ordered)
  if (!isNode(node)) return node
  const names = Object.keys(node).filter((name) => !DESCRIPTIVE.has(name))
  names.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
  return Object.fromEntries(names.map((name) => [name, orderedPart(name, node[name as keyof SchemaNode])]))
}

function orderedPart(name: string, part: unknown): unknown {
  if (name === 'default' || name === 'const' || name === 'enum') return part
  if (name === 'required') return [...(part as string[])].sort()
  if (name !== 'properties' && name !== 'definitions' && name !== 'patternProperties') return ordered(part)
  const entries = Object.entries(part as object).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([property, schema]) => [property, ordered(schema)]))
}

function place(keyword: string): number {
  const at = FIRST.indexOf(keyword)
  return at === -1 ? FIRST.length : at
}
