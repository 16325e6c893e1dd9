import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { NEVER_EXPIRES } from '../broker/batch.js'
import { fault } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'

// Lists of JSON texts that grow with the commits, journal and state log, as messages.

/** Text in one message, in characters, before it is compressed. */
const CHUNK = 256 * 1024
/** Below this, compressing costs more than it saves. */
const WORTH_DEFLATING = 2_048
const DEFLATED = ['Millrace-Encoding', 'deflate'] as const

/** Writes items, each JSON already, as few messages of one subject. */
export function appendixMessages(subject: string, items: readonly string[]): WireMessage[] {
  const messages: WireMessage[] = []
  let chunk: string[] = []
  let size = 0
  const flush = (): void => {
    const text = Buffer.from(`[${chunk.join(',')}]`)
    const deflate = text.length >= WORTH_DEFLATING
    messages.push({
      subject,
      headers: deflate ? [NEVER_EXPIRES, DEFLATED] : [NEVER_EXPIRES],
      data: deflate ? deflateRawSync(text, { level: 1 }) : text,
    })
    chunk = []
    size = 0
  }
  for (const item of items) {
    if (size > 0 && size + item.length > CHUNK) flush()
    chunk.push(item)
    size += item.length
  }
  if (chunk.length > 0) flush()
  return messages
}

/**
 * Reads the items of one message back.
 * @throws SNAPSHOT_INVALID
 */
export function readAppendix(subject: string, encoding: string | undefined, data: Uint8Array): readonly unknown[] {
  try {
    const text = encoding === DEFLATED[1] ? inflateRawSync(data) : Buffer.from(data)
    const value: unknown = JSON.parse(text.toString('utf8'))
    if (Array.isArray(value)) return value as unknown[]
  } catch (cause) {
    throw fault('SNAPSHOT_INVALID', `${subject} cannot be read`, { cause })
  }
  throw fault('SNAPSHOT_INVALID', `${subject} holds no list`)
}

/** Header that says how the items are written. */
export const APPENDIX_ENCODING = DEFLATED[0]
