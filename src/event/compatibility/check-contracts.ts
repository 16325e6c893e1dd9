// Compares the contracts of the code with those that are recorded.
//   EC2  what is stored in a recorded form and cannot be read by the code is found, or the record is accepted as broken
import type { Compatibility } from '../contract.js'
import { compareSchemas, sortedDifferences } from './compare-schemas.js'
import { unreadable, unreadableBefore, type ContractFinding } from './contract-finding.js'
import {
  headOf,
  isSameSchema,
  type ContractsRecord,
  type DeclaredContract,
  type RecordedContract,
} from './contract-record.js'
import { canonicalText, type SchemaNode } from './schema-node.js'
import { recordedSchema } from './recorded-schema.js'
import { trySamples } from './try-samples.js'

export interface CheckOptions {
  /** In place of what each contract says. */
  readonly mode?: Compatibility | undefined
}

/** What the code and the record disagree about, by type. Empty: nothing. */
export function checkContracts(
  record: ContractsRecord,
  declared: readonly DeclaredContract[],
  { mode }: CheckOptions = {},
): readonly ContractFinding[] {
  const types = new Map(declared.map((each) => [each.contract.type, each]))
  const all = [...new Set([...Object.keys(record.contracts), ...types.keys()])].sort()
  return all.flatMap((type) => {
    const [before, now] = [record.contracts[type], types.get(type)]
    if (now === undefined) return before === undefined ? [] : removed(type, before, mode ?? before.compatibility)
    if (before === undefined) return [unrecorded(now, 'it is not recorded')]
    return checkContract(before, now, mode ?? now.contract.compatibility ?? 'backward')
  })
}

function checkContract(
  before: RecordedContract,
  now: DeclaredContract,
  mode: Compatibility,
): readonly ContractFinding[] {
  const schema = recordedSchema(now.contract)
  const breaks = [
    ...(mode === 'none' ? [] : identity(before, now)),
    ...(mode === 'backward' || mode === 'full' ? backward(before, now, schema) : []),
    ...(mode === 'forward' || mode === 'full' ? forward(before, now, schema) : []),
  ]
  if (breaks.some(({ severity }) => severity === 'break')) return breaks
  const behind = behindOf(before, now, schema)
  return behind === undefined ? breaks : [...breaks, unrecorded(now, behind)]
}

function removed(type: string, before: RecordedContract, mode: Compatibility): readonly ContractFinding[] {
  const version = lastVersion(before)
  if (mode === 'forward' || mode === 'none')
    return [
      {
        type,
        version,
        severity: 'unrecorded',
        kind: 'unrecorded',
        detail: 'it is recorded and not declared any more',
        advice: 'millrace contracts record',
      },
    ]
  return [
    {
      type,
      version,
      severity: 'break',
      kind: 'removed',
      detail: 'it is recorded and not declared any more',
      breaks: `who reads its stream in new code: stored events of it become dead letters (EVENT_TYPE_UNKNOWN)`,
      advice: `Declare ${type} for as long as its events are kept, also when nothing makes them any more; if none are stored: ${accept(type)}`,
    },
  ]
}

function accept(type: string): string {
  return `millrace contracts record --accept-breaks ${type}`
}

function identity(before: RecordedContract, { contract, kind }: DeclaredContract): readonly ContractFinding[] {
  const { type, version } = contract
  const found: ContractFinding[] = []
  if (before.keyed !== (contract.keyed ?? false))
    found.push({
      type,
      version,
      severity: 'break',
      kind: 'key-changed',
      detail: before.keyed ? 'its events had a key and have none now' : 'its events had no key and have one now',
      breaks: before.keyed
        ? 'whatever works by key: rules, keyed pipelines and actors pass the new events over, and their order is that of no key'
        : 'order: the events of one key lie in two partitions, those before and those after, and those before have no key',
      advice: `Keep the key as it was, or declare a new type beside ${type}`,
    })
  if (before.kind !== kind)
    found.push({
      type,
      version,
      severity: 'break',
      kind: 'kind-changed',
      detail: `it was a ${before.kind} and is a ${kind} now`,
      breaks: 'readers of the stream that it went to: it goes to another one now',
      advice: 'Declare a new type for it',
    })
  return found
}

function backward(
  before: RecordedContract,
  { contract }: DeclaredContract,
  schema: SchemaNode,
): readonly ContractFinding[] {
  const { type, version, oldest } = contract
  return versionsOf(before).flatMap(([former, schemas]): readonly ContractFinding[] => {
    if (former > version) return [wentBack(type, former, version)]
    if (former < oldest) return [upcasterMissing(type, former, oldest)]
    if (former < version) return trySamples(contract, former, schemas, schema)
    const differences = schemas.flatMap((one) => compareSchemas(one, schema))
    return sortedDifferences(differences).map((difference) => unreadable(type, version, difference))
  })
}

function wentBack(type: string, former: number, version: number): ContractFinding {
  return {
    type,
    version: former,
    severity: 'break',
    kind: 'version-back',
    detail: `version ${former} is recorded, and the code is at version ${version}`,
    breaks: `every reader of ${type} in new code: stored events of version ${former} become dead letters (EVENT_VERSION_UNKNOWN)`,
    advice: `Go on from version ${former}: what is to be as before becomes version ${former + 1}`,
  }
}

function upcasterMissing(type: string, former: number, oldest: number): ContractFinding {
  return {
    type,
    version: former,
    severity: 'break',
    kind: 'upcaster-missing',
    detail: `version ${former} is recorded, and the code reads from version ${oldest} on`,
    breaks: `every reader of ${type} in new code: stored events of version ${former} become dead letters (EVENT_VERSION_UNKNOWN)`,
    advice: `Declare upcasters from version ${former} on; if none of its events are stored any more: ${accept(type)}`,
  }
}

function forward(
  before: RecordedContract,
  { contract }: DeclaredContract,
  schema: SchemaNode,
): readonly ContractFinding[] {
  const { type, version } = contract
  const last = lastVersion(before)
  if (version > last)
    return [
      {
        type,
        version,
        severity: 'break',
        kind: 'new-version',
        detail: `version ${version} is new`,
        breaks: `readers of ${type} that still run the code as recorded, which knows version ${last} at most: new events become dead letters there (EVENT_VERSION_UNKNOWN)`,
        advice: `Deploy all readers before anything writes version ${version}, and accept it: ${accept(type)}; or change the data in a way that version ${last} has room for`,
      },
    ]
  const recorded = before.versions[String(version)]?.at(-1)
  if (recorded === undefined) return []
  return sortedDifferences(compareSchemas(schema, recorded)).map((each) => unreadableBefore(type, version, each))
}

/** What the record does not have of the code. */
function behindOf(before: RecordedContract, now: DeclaredContract, schema: SchemaNode): string | undefined {
  const { version } = now.contract
  const last = before.versions[String(version)]?.at(-1)
  if (last === undefined) return `version ${version} is not recorded`
  if (!isSameSchema(last, schema)) return `its data was changed in a way that breaks nothing, and is recorded as it was`
  const { versions: _, ...head } = before
  return canonicalText(head) === canonicalText(headOf(now))
    ? undefined
    : 'its key, its upcasters or its compatibility are recorded as they were'
}

function unrecorded({ contract: { type, version } }: DeclaredContract, detail: string): ContractFinding {
  return {
    type,
    version,
    severity: 'unrecorded',
    kind: 'unrecorded',
    detail,
    advice: 'millrace contracts record, and commit what it writes: the next change is compared with it',
  }
}

function versionsOf({ versions }: RecordedContract): (readonly [number, readonly SchemaNode[]])[] {
  return Object.entries(versions)
    .map(([version, schemas]) => [Number(version), schemas] as const)
    .sort(([a], [b]) => a - b)
}

function lastVersion(before: RecordedContract): number {
  return Math.max(...Object.keys(before.versions).map(Number))
}
