import { encodeHeaderValue } from '../event/header-value.js'
import type { Issue } from '../error/millrace-error.js'

const MARK = '%E2%80%A6' // …
const UNPAIRED = /\p{Surrogate}/gu

/**
 * Text as a header value of at most `limit` bytes (at least 9), percent-encoded; what is cut ends with an ellipsis.
 * Takes every text: an unpaired surrogate becomes U+FFFD.
 */
export function boundedText(text: string, limit: number): string {
  // no character takes less than a byte, so what is beyond the limit need not be encoded to be too long
  const head = text.slice(0, limit + 1).replace(UNPAIRED, '\ufffd')
  const whole = encodeHeaderValue(head)
  if (whole.length <= limit) return whole
  let cut = ''
  for (const char of head) {
    const next = encodeHeaderValue(char)
    if (cut.length + next.length + MARK.length > limit) break
    cut += next
  }
  return cut + MARK
}

/**
 * Issues as a header value of at most `limit` bytes (at least 256), percent-encoded JSON that stays JSON: the first
 * issues that there is room for, and how many are not among them.
 */
export function boundedIssues(issues: readonly Issue[], limit: number): string {
  const whole = encodeIssues(issues)
  if (whole.length <= limit) return whole
  const rest = (shown: number): Issue => ({ detail: `${issues.length - shown} more, left out` })
  let shown = 0
  // the list grows with each issue, so the first that does not fit ends it
  while (encodeIssues([...issues.slice(0, shown + 1), rest(shown + 1)]).length <= limit) shown++
  return encodeIssues([...issues.slice(0, shown), rest(shown)])
}

function encodeIssues(issues: readonly Issue[]): string {
  return encodeHeaderValue(JSON.stringify(issues))
}
