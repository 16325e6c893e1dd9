import { z } from 'zod'
import { fault } from '../../error/millrace-error.js'
import { issuesOf } from '../data-issues.js'
import type { Compatibility, EventContract } from '../contract.js'
import { recordedSchema } from './recorded-schema.js'
import { canonicalText, type SchemaNode } from './schema-node.js'

/** Whether a contract is of something that has happened, or of something that is asked for. */
export type ContractKind = 'event' | 'command'

/** A contract as the code declares it. */
export interface DeclaredContract {
  readonly contract: EventContract
  readonly kind: ContractKind
}

/** What is recorded of a contract. */
export interface RecordedContract {
  readonly kind: ContractKind
  readonly compatibility: Compatibility
  /** Whether its events have a key. */
  readonly keyed: boolean
  /** Versions that upcasters bring to the next one. */
  readonly upcasters: readonly number[]
  /**
   * By version: every schema that data of it was written with, the oldest first. A version has several when it was widened
   * without a new one, since what can be read after one step need not be after two.
   */
  readonly versions: Readonly<Record<string, readonly SchemaNode[]>>
}

/** The recorded contracts of one context. */
export interface ContractsRecord {
  /** Of this file. */
  readonly format: 1
  readonly contracts: Readonly<Record<string, RecordedContract>>
}

export const EMPTY_RECORD: ContractsRecord = { format: 1, contracts: {} }

const schema = z.record(z.string(), z.unknown()) as unknown as z.ZodType<SchemaNode>
const RECORD: z.ZodType<ContractsRecord> = z.strictObject({
  format: z.literal(1),
  contracts: z.record(
    z.string(),
    z.strictObject({
      kind: z.enum(['event', 'command']),
      compatibility: z.enum(['backward', 'forward', 'full', 'none']),
      keyed: z.boolean(),
      upcasters: z.array(z.int().min(1)),
      versions: z.record(z.string().regex(/^[1-9]\d*$/), z.array(schema).min(1)),
    }),
  ),
})

/**
 * Reads what formatRecord wrote.
 * @throws CONTRACTS_RECORD_INVALID naming the file, with a pointer per issue
 */
export function parseRecord(text: string, file: string): ContractsRecord {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw fault('CONTRACTS_RECORD_INVALID', `${file}: it is not JSON: ${(cause as Error).message}`, { cause })
  }
  const result = RECORD.safeParse(document)
  if (result.success) return result.data
  const issues = issuesOf(result.error).map((issue) => ({ ...issue, file }))
  throw fault('CONTRACTS_RECORD_INVALID', `${file}: ${issues[0]?.pointer}: ${issues[0]?.detail}`, { issues })
}

/** What a contract mentions of itself beside its schemas. */
export function headOf({ contract, kind }: DeclaredContract): Omit<RecordedContract, 'versions'> {
  const { version, oldest, compatibility = 'backward', keyed = false } = contract
  const upcasters = Array.from({ length: version - oldest }, (_, at) => oldest + at)
  return { kind, compatibility, keyed, upcasters }
}

export interface RecordOptions {
  /** Types of which what was written before and cannot be read any more is forgotten. */
  readonly acceptBreaks?: ReadonlySet<string>
}

/**
 * The record after the code as it is, types in the order of the alphabet. What data of a type was written with before is
 * kept, unless its breaks are accepted.
 */
export function updateRecord(
  record: ContractsRecord,
  declared: readonly DeclaredContract[],
  { acceptBreaks = new Set() }: RecordOptions = {},
): ContractsRecord {
  const entries = declared.map((each): [string, RecordedContract] => {
    const { type, version, oldest } = each.contract
    const accepted = acceptBreaks.has(type)
    const before = Object.entries(record.contracts[type]?.versions ?? {})
    const kept = accepted ? before.filter(([former]) => isReadable(Number(former), oldest, version)) : before
    const schemas = new Map(kept.map(([former, all]) => [Number(former), all]))
    const now = recordedSchema(each.contract)
    // the last one is that of the code, also when it is an earlier one again
    schemas.set(version, [...(schemas.get(version) ?? []).filter((one) => !isSameSchema(one, now)), now])
    return [type, { ...headOf(each), versions: Object.fromEntries([...schemas].sort(([a], [b]) => a - b)) }]
  })
  return { format: 1, contracts: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function isReadable(former: number, oldest: number, version: number): boolean {
  return former >= oldest && former < version
}

export function isSameSchema(one: SchemaNode, other: SchemaNode): boolean {
  return canonicalText(one) === canonicalText(other)
}
