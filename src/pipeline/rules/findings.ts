import type { Match } from '../../cep/engine/match.js'
import type { Rule } from '../../cep/rule/rule.js'
import { isFault, messageOf } from '../../error/millrace-error.js'

/** @param revision under which it was found; null for a rule that is a part of the code */
type TakeMatch = (rule: Rule, match: Match, revision: number | null) => void

/** Who is told what rules find, and with what one has failed. */
export interface Findings {
  readonly match: TakeMatch
  readonly failed: (rule: string, error: unknown) => void
}

/** What is said of a rule that has failed. @param after sequence of the last event that it was given */
export function failureText(error: unknown, after: number): string {
  const what = isFault(error) ? `${error.code} ${error.detail}` : messageOf(error)
  return `it failed after sequence ${after}: ${what}`
}
