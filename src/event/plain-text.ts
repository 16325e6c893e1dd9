/** A header value that needs no encoding, and no escape as JSON either: nearly every one. */
const PLAIN = /^[\x21\x23\x24\x26-\x5b\x5d-\x7e]+$/

/** Up to this length a look at each character is faster. */
const SHORT = 40

/** Whether a text stands in a header and in a JSON string as it is, and is not empty. */
export function isPlain(text: string): boolean {
  if (text.length > SHORT) return PLAIN.test(text)
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x21 || code > 0x7e || code === 0x22 || code === 0x25 || code === 0x5c) return false
  }
  return text.length > 0
}

/** Whether a text of ASCII characters stands in a JSON string as it is. */
export function standsInJson(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
  }
  return true
}
