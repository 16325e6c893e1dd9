import type { Difference } from './difference.js'
import { pointerTo } from '../data-issues.js'

/** What became of a contract. */
export type FindingKind =
  | 'removed'
  | 'version-back'
  | 'upcaster-missing'
  | 'upcaster-refused'
  | 'changed'
  | 'new-version'
  | 'key-changed'
  | 'kind-changed'
  | 'unrecorded'

/** What the code and the record disagree about. */
export interface ContractFinding {
  readonly type: string
  /** A break stops the build until it is mended or accepted; what is unrecorded, until it is recorded; a note does not. */
  readonly severity: 'break' | 'unrecorded' | 'note'
  readonly kind: FindingKind
  /** The version that the finding is about. */
  readonly version: number
  /** Into the data (RFC 6901), where it is about a part of it; `*` is any item or name. */
  readonly pointer?: string
  /** What differs. */
  readonly detail: string
  /** What stops working for whom. */
  readonly breaks?: string
  /** What to do. */
  readonly advice: string
}

/** A place where new code does not read what is stored. */
export function unreadable(type: string, version: number, difference: Difference): ContractFinding {
  return {
    type,
    version,
    severity: 'break',
    kind: 'changed',
    pointer: pointerTo(difference.path),
    detail: difference.kind === 'undecided' ? `it cannot be decided: ${difference.why}` : difference.why,
    breaks: `every reader of ${type} in new code: such events of version ${version} that are stored become dead letters (EVENT_DATA_INVALID)`,
    advice: adviceFor(type, version, difference),
  }
}

/** A place where the code that runs now does not read what new code writes. */
export function unreadableBefore(type: string, version: number, difference: Difference): ContractFinding {
  return {
    type,
    version,
    severity: 'break',
    kind: 'changed',
    pointer: pointerTo(difference.path),
    detail: difference.kind === 'undecided' ? `it cannot be decided: ${difference.why}` : difference.why,
    breaks: `readers of ${type} that still run the code as recorded: such new events become dead letters there (EVENT_DATA_INVALID)`,
    advice: `Leave what is written as it was there, or deploy readers first: let them take both, record that, and change what is written in a later release`,
  }
}

function adviceFor(type: string, version: number, { kind, path }: Difference): string {
  const name = path.at(-1) ?? 'the data'
  const next = `declare version ${version + 1} of ${type} with upcasters: { …, ${version}: (data) => … }`
  switch (kind) {
    case 'required':
      return `Make ${name} optional or give it a default; or ${next} that fills it in`
    case 'value':
    case 'variant':
      return `Keep the values that were there, also those that are not written any more; or ${next} that replaces them`
    case 'field-refused':
      return `Let the object take fields that it does not know; or ${next} that drops them`
    case 'open-field':
      return `Take anything there, or choose another name; or ${next}`
    case 'undecided':
      return `If all that is stored is read, say so: millrace contracts record --accept-breaks ${type}; if it may not be, ${next}`
    default:
      return `Take back the change; or ${next} that brings the data to the new form`
  }
}
