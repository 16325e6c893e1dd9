import { z } from 'zod'
import { fault, messageOf, type Issue } from '../error/millrace-error.js'
import { pointerTo } from './data-issues.js'

/** A JSON Schema document, draft 2020-12. */
export type JsonSchema = z.core.JSONSchema.BaseSchema

// What JSON cannot carry, so that data read back would not be the data that was written.
const NOT_JSON: ReadonlySet<string> = new Set([
  'bigint',
  'date',
  'file',
  'function',
  'map',
  'nan',
  'promise',
  'set',
  'symbol',
  'transform',
])

/**
 * The JSON Schema of a contract’s data. The wire carries what the schema puts out, and every reader runs the schema on
 * it again, so a schema whose output is not JSON or is not its own input is refused.
 *
 * @throws CONTRACT_INVALID with a pointer to each such place
 */
export function jsonSchemaOf(type: string, schema: z.ZodType): JsonSchema {
  const issues: Issue[] = []
  const look = ({ zodSchema, path }: { zodSchema: z.core.$ZodTypes; path: (string | number)[] }): void => {
    const problem = problemOf(zodSchema)
    if (problem !== undefined) issues.unshift({ pointer: pointerTo(path), detail: problem })
  }
  let document: JsonSchema
  try {
    document = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any', override: look })
  } catch (cause) {
    throw fault('CONTRACT_INVALID', `${type}: its schema has no JSON form: ${messageOf(cause)}`, { cause })
  }
  const [first] = issues
  if (first !== undefined) {
    const where = first.pointer === '' ? 'its data' : first.pointer
    throw fault('CONTRACT_INVALID', `${type}: ${where} ${first.detail}`, { issues })
  }
  return document
}

function problemOf(schema: z.core.$ZodTypes): string | undefined {
  const { def } = schema._zod
  if (NOT_JSON.has(def.type)) return `is a ${def.type}, which JSON cannot carry: describe its JSON form`
  // preprocessing is a pipe too, but what it puts out goes through it again unharmed
  if (def.type === 'pipe' && def.in._zod.def.type !== 'transform')
    return 'changes form between input and output: describe the form that is stored'
  return undefined
}
