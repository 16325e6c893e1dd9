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
  const whole = encodeIssues(issues, limit)
  if (whole !== undefined) return whole
  let text = ''
  // the list grows with each issue, so the first that does not fit ends it
  for (let shown = 0; ; shown++) {
    const rest = { detail: `${issues.length - shown} of ${issues.length} are left out` }
    const next = encodeIssues([...issues.slice(0, shown), rest], limit)
    if (next === undefined) return text
    text = next
  }
}

function encodeIssues(issues: readonly Issue[], limit: number): string | undefined {
  const json = JSON.stringify(issues)
  // encoding never makes a text shorter, and costs more than to write it
  const text = json.length > limit ? json : encodeHeaderValue(json)
  return text.length > limit ? undefined : text
}
