import type { z } from 'zod'
import { messageOf, type Issue } from '../error/millrace-error.js'
import { issuesOf, type DataCheck, type DataFault } from './data-issues.js'
import { replaceEnvelopes, restoreEnvelopes } from './envelope-in-data.js'
import { UpcastError, type UpcastChain } from './upcast.js'

/** The part of a contract that decides about data. */
export interface DataRules<Data> {
  readonly type: string
  readonly version: number
  readonly schema: z.ZodType<Data>
  readonly chain: UpcastChain
}

/** Brings data of `version` to the current version and checks it. Never throws, whatever a schema or upcaster does. */
export function checkData<Data>(rules: DataRules<Data>, data: unknown, version: number): DataCheck<Data> {
  const { type, chain } = rules
  if (version === rules.version) return parseData(rules, data)
  if (!Number.isSafeInteger(version) || version < chain.oldest || version > rules.version)
    return refused('EVENT_VERSION_UNKNOWN', `${type} version ${version}, known are ${known(rules)}`)
  try {
    return parseData(rules, chain.upcast(data, version))
  } catch (thrown) {
    const step = thrown instanceof UpcastError ? `from version ${thrown.from} ` : ''
    const why = messageOf(thrown instanceof UpcastError ? thrown.cause : thrown)
    return refused('EVENT_UPCAST_FAILED', `${type}: the upcaster ${step}threw: ${why}`)
  }
}

/** Runs the schema of the current version. */
export function parseData<Data>(rules: DataRules<Data>, data: unknown): DataCheck<Data> {
  try {
    const result = rules.schema.safeParse(data)
    if (result.success) return { ok: true, data: result.data }
    const sealed = parseSealed(rules, data)
    if (sealed !== undefined) return sealed
    const issues = issuesOf(result.error)
    const [first] = issues
    const more = issues.length > 1 ? `, and ${issues.length - 1} more` : ''
    const where = first?.pointer === '' ? '' : `${first?.pointer}: `
    return refused('EVENT_DATA_INVALID', `${rules.type}: ${where}${first?.detail}${more}`, issues)
  } catch (thrown) {
    // a refinement that throws, or an asynchronous one
    const detail = `the schema threw: ${messageOf(thrown)}`
    return refused('EVENT_DATA_INVALID', `${rules.type}: ${detail}`, [{ pointer: '', detail }])
  }
}

/** Personal values that are sealed are judged as if they were null; the rest as ever. Undefined: that is not why it failed. */
function parseSealed<Data>({ schema }: DataRules<Data>, data: unknown): DataCheck<Data> | undefined {
  const without = replaceEnvelopes(data, () => null)
  if (without === data) return undefined
  const result = schema.safeParse(without)
  return result.success ? { ok: true, data: restoreEnvelopes(result.data, data) as Data } : undefined
}

function known<Data>(rules: DataRules<Data>): string {
  return rules.chain.oldest === rules.version ? `${rules.version}` : `${rules.chain.oldest} to ${rules.version}`
}

function refused(code: DataFault, detail: string, issues: readonly Issue[] = [{ detail }]): DataCheck<never> {
  return { ok: false, code, detail, issues }
}
