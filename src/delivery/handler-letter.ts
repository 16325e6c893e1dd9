import { deadLetterMessage, DEAD_LETTER_HEADER } from '../kernel/dead-letter.js'
import { isFault, messageOf } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import { writeAttempts } from './attempt-headers.js'
import { fingerprint } from './fingerprint.js'
import type { FormerAttempt } from './handler-context.js'
import type { HandlerDeclaration } from './handler-options.js'
import type { DeadMessage } from '../kernel/dead-message.js'
import type { WorkItem } from './work-item.js'

/** The processor that a dead letter of a handler names. */
export function handlerProcessor(handler: string): string {
  return `handler-${handler}`
}

/** Code of what a handler threw; HANDLER_FAILED for what is none of ours. */
export function codeOf(error: unknown): string {
  return isFault(error) ? error.code : 'HANDLER_FAILED'
}

/** What tells a letter from others of the same message and handler: the place in its pack, and the generation. */
export function letterPlace({ origin, record }: Pick<WorkItem, 'origin' | 'record'>): string {
  const { generation } = record
  const parts = [origin.member === undefined ? '' : `m${origin.member}`, generation === 0 ? '' : `g${generation}`]
  return parts.filter((part) => part !== '').join('.')
}

/**
 * The dead letter of an event that a handler could not handle.
 * @param attempts all of them, the last one too; none for an event that was never begun
 */
export function handlerLetter(
  { name, version }: Pick<HandlerDeclaration, 'name' | 'version'>,
  item: Pick<WorkItem, 'origin' | 'record'>,
  original: DeadMessage,
  error: unknown,
  attempts: readonly FormerAttempt[],
  maxPayload: number,
): WireMessage {
  const H = DEAD_LETTER_HEADER
  const code = codeOf(error)
  const detail = isFault(error) ? error.detail : messageOf(error)
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const { member, stream } = item.origin
  const more: (readonly [string, string])[] = [
    [H.version, String(version)],
    [H.fingerprint, fingerprint(code, detail, stack)],
  ]
  if (attempts.length > 0) more.push([H.attempts, writeAttempts(attempts)])
  if (item.record.generation > 0) more.push([H.generation, String(item.record.generation)])
  if (member !== undefined) more.push([H.member, String(member)])
  const issues = isFault(error) ? error.issues : []
  const reason = { processor: handlerProcessor(name), code, detail, issues, more, ...(stack === '' ? {} : { stack }) }
  return deadLetterMessage(stream, original, reason, maxPayload, letterPlace(item))
}
