import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'

/** What a pipeline keeps in the stream that it writes to, and has to find there after a crash. */
const KEPT = {
  states: 'the states that are kept in it',
  decisions: 'the recorded results of steps and passing of time, without which a slot cannot be made again',
} as const

/**
 * A state by key is stored as it changes, and what a slot cannot take from the log again is recorded, in the stream that
 * is written to. Where that forgets its oldest messages to stay below a size, it would forget the states of keys that
 * have long been the same, and what slots that still live have met; and nobody could tell.
 * @throws PIPELINE_INVALID
 */
export function requireLasting(pipeline: string, { name, maxBytes }: StreamDeclaration, kept: keyof typeof KEPT): void {
  if (maxBytes === -1) return
  const why = `${name} deletes its oldest messages by size (retention.maxBytes), and with them ${KEPT[kept]}`
  const advice = `give ${name} a maxAge in its place, or write to another stream`
  throw fault('PIPELINE_INVALID', `${pipeline}: ${why}; ${advice}`)
}
