import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'

/**
 * A state by key is stored as it changes, in the stream that is written to. Where that forgets its oldest messages to stay
 * below a size, it would forget the states of keys that have long been the same.
 * @throws PIPELINE_INVALID
 */
export function requireLasting(pipeline: string, { name, maxBytes }: StreamDeclaration): void {
  if (maxBytes === -1) return
  const why = `${name} deletes its oldest messages by size (retention.maxBytes), and with them the states that are kept in it`
  throw fault('PIPELINE_INVALID', `${pipeline}: ${why}; give ${name} a maxAge in its place, or write to another stream`)
}
