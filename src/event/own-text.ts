/** V8 copies what is cut out of a text and shorter than this. */
const COPIED = 13
const scratch = Buffer.allocUnsafeSlow(1_024)

/**
 * The same text, in memory of its own. What is cut out of a message keeps the whole message alive, for as long as a
 * state keeps a key or an id.
 * @param text without unpaired surrogates
 */
export function ownText(text: string): string {
  if (text.length < COPIED) return text
  if (text.length * 3 > scratch.length) return Buffer.from(text).toString()
  return scratch.toString('utf8', 0, scratch.write(text))
}
