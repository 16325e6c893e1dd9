import { expectLastSequence } from '../broker/batch.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { deadLetterSubject } from '../broker/system-subject.js'
import { encodeHeaderValue } from '../event/header-value.js'
import type { WireMessage } from '../event/wire.js'
import type { Issue } from '../error/millrace-error.js'

/** Why a message could not be processed. */
export interface DeadLetterReason {
  /** `contract` when the message itself is at fault, else the processor that could not handle it. */
  readonly processor: string
  readonly code: string
  readonly detail: string
  readonly issues: readonly Issue[]
  readonly stack?: string
}

/** Headers that tell a dead letter’s story; values are percent-encoded like CloudEvents attributes. */
export const DEAD_LETTER_HEADER = {
  stream: 'Millrace-Dead-Stream',
  sequence: 'Millrace-Dead-Sequence',
  subject: 'Millrace-Dead-Subject',
  storedAt: 'Millrace-Dead-Stored-At',
  processor: 'Millrace-Dead-Processor',
  code: 'Millrace-Dead-Code',
  detail: 'Millrace-Dead-Detail',
  issues: 'Millrace-Dead-Issues',
  stack: 'Millrace-Dead-Stack',
} as const

const LONGEST = 4_000

/**
 * The message that keeps another one with the reason why it could not be processed: the original payload and headers,
 * untouched, and the reason beside them. Its subject names the original, and it is stored only if that subject is
 * still empty: whoever meets the same message again, after a crash or in another processor, adds no second copy.
 */
export function deadLetterMessage(stream: string, message: StoredMessage, reason: DeadLetterReason): WireMessage {
  const {
    stream: streamHeader,
    sequence,
    subject,
    storedAt,
    processor,
    code,
    detail,
    issues,
    stack,
  } = DEAD_LETTER_HEADER
  const kept = [...message.headers.entries()].filter(([name]) => !/^nats-/i.test(name))
  const text = (value: string): string => encodeHeaderValue(value.slice(0, LONGEST))
  return {
    subject: deadLetterSubject(stream, message.sequence, reason.processor),
    headers: [
      ...kept,
      expectLastSequence(0),
      [streamHeader, stream],
      [sequence, String(message.sequence)],
      [subject, message.subject],
      [storedAt, new Date(message.storedAt).toISOString()],
      [processor, reason.processor],
      [code, reason.code],
      [detail, text(reason.detail)],
      [issues, text(JSON.stringify(reason.issues))],
      ...(reason.stack === undefined ? [] : [[stack, text(reason.stack)] as const]),
    ],
    data: message.data,
  }
}
