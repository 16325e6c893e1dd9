import { z } from 'zod'
import { fault, messageOf, type Issue } from '../error/millrace-error.js'
import { issuesOf } from '../event/data-issues.js'
import { unaskable } from './askable-schema.js'

/** A JSON Schema document. */
export type ResultSchema = Readonly<Record<string, unknown>>

/** What an answer was found to be. */
export type ReadResult<Result> =
  { readonly kind: 'valid'; readonly result: Result } | { readonly kind: 'invalid'; readonly issues: readonly Issue[] }

/**
 * The JSON Schema that a model is asked to keep to.
 * @param job for the message of an error
 * @throws JOB_RESULT_INVALID it cannot be said in JSON Schema, is no object, or has something that no model can be held to
 */
export function resultSchemaOf(job: string, schema: z.ZodType): ResultSchema {
  let document: ResultSchema
  try {
    document = z.toJSONSchema(schema, { io: 'input', reused: 'ref' }) as ResultSchema
  } catch (cause) {
    throw fault('JOB_RESULT_INVALID', `${job}: ${messageOf(cause)}`, { cause })
  }
  if (document['type'] !== 'object')
    throw fault('JOB_RESULT_INVALID', `${job}: the result has to be an object; put it into one`)
  const issues = unaskable(document)
  const [first] = issues
  if (first !== undefined)
    throw fault('JOB_RESULT_INVALID', `${job}: result${first.pointer}: ${first.detail}`, { issues })
  return document
}

/** Reads the text of an answer. Never throws. */
export function readResult<Schema extends z.ZodType>(schema: Schema, text: string): ReadResult<z.output<Schema>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { kind: 'invalid', issues: [{ pointer: '', detail: `it is no JSON: ${messageOf(error)}` }] }
  }
  const read = schema.safeParse(value)
  return read.success ? { kind: 'valid', result: read.data } : { kind: 'invalid', issues: issuesOf(read.error) }
}
