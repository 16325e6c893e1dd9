import { fault } from '../error/millrace-error.js'

// What may stand in a header value as it is: U+0021–U+007E without `"` and `%`.
const NEEDS_ENCODING = /[^\x21\x23\x24\x26-\x7e]/
const RUNS_TO_ENCODE = /[^\x21\x23\x24\x26-\x7e]+/g
const DOUBLE_QUOTE = 0x22
const QUOTED_PAIR = /\\([\s\S])/g

/**
 * Writes a CloudEvents attribute as a NATS header value: space, `"`, `%` and everything outside U+0021–U+007E become
 * the upper-case percent-encoded bytes of their UTF-8 form.
 * Source: CloudEvents NATS protocol binding, header values (the rule of the HTTP binding, 3.1.3.2).
 *
 * @throws EVENT_ENVELOPE_INVALID when the text has an unpaired surrogate, which has no UTF-8 form
 */
export function encodeHeaderValue(text: string): string {
  return NEEDS_ENCODING.test(text) ? text.replace(RUNS_TO_ENCODE, encodeRun) : text
}

/**
 * Reads a header value back: an RFC 7230 quoted string is unquoted first, then percent sequences are decoded exactly
 * once. Lower-case hexadecimal digits and needless encoding are accepted.
 *
 * @returns undefined when a percent sequence is malformed or its bytes are not UTF-8
 */
export function decodeHeaderValue(value: string): string | undefined {
  const text = value.charCodeAt(0) === DOUBLE_QUOTE ? unquote(value) : value
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined // URIError, the only thing it throws: the verdict is the caller’s to report
  }
}

function encodeRun(run: string): string {
  // encodeURIComponent keeps a few characters as they are, but none that a run can hold
  try {
    return encodeURIComponent(run)
  } catch (cause) {
    throw fault('EVENT_ENVELOPE_INVALID', 'an attribute has an unpaired surrogate', { cause })
  }
}

function unquote(value: string): string {
  const quoted = value.length >= 2 && value.endsWith('"')
  return quoted ? value.slice(1, -1).replace(QUOTED_PAIR, '$1') : value
}
