import { fault, type MillraceError } from '../../error/millrace-error.js'
import { describeFinding } from './describe-finding.js'
import type { Finding } from './finding.js'
import { likelyCause, type VerifiedMode } from './likely-cause.js'

/** What is wrong, told in full. */
export interface VerifyFailure {
  readonly partition: string
  /** Of the message at which it shows. */
  readonly sequence: number
  /** Index of the item after which it was crashed, from 0; undefined where it was not, or not once. */
  readonly crashIndex: number | undefined
  /** Lines for a person. */
  readonly found: readonly string[]
  readonly likelyCause: string
}

/** @param about `now`: of the machine, in ms */
export function failureOf(
  finding: Finding,
  about: { readonly partition: string; readonly items: number; readonly mode: VerifiedMode; readonly now: number },
): VerifyFailure {
  const { trial, difference } = finding
  return {
    partition: about.partition,
    sequence: difference.sequence,
    crashIndex: trial.kind === 'crash' ? trial.after : undefined,
    found: describeFinding(finding, about.items),
    likelyCause: likelyCause(finding, about.mode, about.now),
  }
}

/** VERIFY_FAILED, which tells it in full. @param who processor, and partition where there are several */
export function failureFault(who: string, { found, likelyCause: cause }: VerifyFailure): MillraceError {
  const [first = '', ...rest] = found
  return fault('VERIFY_FAILED', [`${who}: ${first}`, ...rest, `likely cause: ${cause}`].join('\n'))
}
