import type { ErrorCode } from '../../error/catalogue.js'
import type { Issue } from '../../error/millrace-error.js'
import type { ContractFinding } from '../../event/compatibility/contract-finding.js'
import type { Output } from '../output.js'

/** A finding, and the record that it differs from. */
export interface PlacedFinding extends ContractFinding {
  readonly file: string
}

/** The code that stands for a finding; a note has none. */
export function codeOf({ severity }: Pick<ContractFinding, 'severity'>): ErrorCode | undefined {
  if (severity === 'note') return undefined
  return severity === 'break' ? 'CONTRACT_BREAKS' : 'CONTRACT_UNRECORDED'
}

/** A finding as an issue of an error. */
export function findingIssue(finding: ContractFinding, file: string): Issue {
  const { type, version, pointer, detail, breaks, advice } = finding
  const what = breaks === undefined ? '' : ` Breaks ${breaks}.`
  return {
    file,
    ...(pointer === undefined || pointer === '' ? {} : { pointer }),
    detail: `${type} version ${version}: ${detail}.${what} ${advice}`,
  }
}

/** For people: each finding, what it breaks and what to do. */
export function printFindings(out: Output, findings: readonly PlacedFinding[]): void {
  for (const finding of findings) {
    const { severity, type, version, pointer, detail, breaks, advice } = finding
    const label = out.style(severity === 'break' ? 'red' : 'yellow', severity)
    const place = pointer === undefined || pointer === '' ? '' : ` ${pointer}`
    out.line(`${label}  ${type} version ${version}${place}: ${detail}`)
    if (breaks !== undefined) out.line(`  breaks: ${breaks}`)
    out.line(`  do: ${advice}`)
  }
}
