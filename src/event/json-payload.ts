import { isUtf8 } from 'node:buffer'
import { messageOf } from '../error/millrace-error.js'

/** What a payload says as JSON; an empty payload says nothing: undefined. */
export type JsonPayload =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string }

const NOTHING: JsonPayload = { ok: true, value: undefined }

/** Reads bytes as JSON text. Bytes that are not UTF-8 are refused, never replaced. */
export function parseJson(bytes: Uint8Array): JsonPayload {
  if (bytes.byteLength === 0) return NOTHING
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString('utf8')
  // bytes that are not UTF-8 become U+FFFD, which a text may also have of its own
  if (text.includes('\uFFFD') && !isUtf8(bytes)) return { ok: false, problem: 'the payload is not UTF-8' }
  return parseText(text)
}

/** Reads text as JSON; an empty one says nothing. */
export function parseText(text: string): JsonPayload {
  if (text === '') return NOTHING
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (thrown) {
    return { ok: false, problem: `the payload is not JSON: ${messageOf(thrown)}` }
  }
}
