import type { EventDraft } from '../event/event.js'

// Who asks for a command's outcome names an inbox of his with the command. The owner of the aggregate answers there, as
// plain core messages, when what it decided is stored. An answer may be lost, the outcome may not: it is in the log.

/** What became of one event of a decision. */
export interface OutcomeEvent<Type extends string = string> {
  readonly id: string
  readonly type: Type
}

/**
 * What became of a command.
 *
 * - `accepted`: it is done, and these events say what it did; none when there was nothing to do.
 * - `rejected`: the aggregate refused it for a reason of its domain. That is an answer, not an error.
 * - `failed`: it could not be decided: it is a dead letter, or parked with its aggregate until it is redriven.
 */
export type Outcome<Type extends string = string> = AcceptedOutcome<Type> | RejectedOutcome | FailedOutcome

interface OfCommand {
  readonly commandId: string
  /** Of the aggregate. */
  readonly id: string
}

export interface AcceptedOutcome<Type extends string = string> extends OfCommand {
  readonly kind: 'accepted'
  /** Of the aggregate, when it was decided: how many events it had then, these among them. */
  readonly version: number
  readonly events: readonly OutcomeEvent<Type>[]
  /** Where the decision is in the stream of the aggregate; a view that has come so far knows of it. */
  readonly sequence?: number
}

export interface RejectedOutcome extends OfCommand {
  readonly kind: 'rejected'
  readonly version: number
  /** Of the decider, as are the others. */
  readonly code: string
  readonly message: string
  readonly data?: unknown
  readonly sequence?: number
}

export interface FailedOutcome extends OfCommand {
  readonly kind: 'failed'
  /** A code of Millrace. */
  readonly code: string
  readonly detail: string
}

/** The attribute of a command that names where its outcome is to be told, as `ce-replyto` on the wire. */
export const REPLY_ATTRIBUTE = 'replyto'

// Inboxes of NATS begin with `_INBOX`, or with a prefix of the user's. An owner publishes there with its own
// permissions, so no command may have it write where it would be stored: roots of streams have lower-case letters
// alone, and what Millrace and the server keep for themselves begins with neither.
const INBOX = /^_[A-Z][A-Za-z0-9_-]*(?:\.[^\s\p{Cc}.*>]+)+$/u
const MOST_INBOX = 256

/** Whether an owner may answer there. A requester with another inbox finds the outcome in the log. */
export function isReplySubject(text: string): boolean {
  return text.length <= MOST_INBOX && INBOX.test(text)
}

/** Where a command's outcome is to be told; undefined when nobody asks, or for a subject that is no inbox. */
export function replyOf({ attributes }: Pick<EventDraft, 'attributes'>): string | undefined {
  const reply = attributes[REPLY_ATTRIBUTE]
  return reply !== undefined && isReplySubject(reply) ? reply : undefined
}

/** An outcome as the payload of an answer. What of it is not JSON is left out: the log has it as it was stored. */
export function encodeOutcome(outcome: Outcome): Uint8Array {
  return Buffer.from(JSON.stringify(outcome))
}

/** Reads an answer; undefined when it is none: anybody may write to an inbox. */
export function decodeOutcome(data: Uint8Array): Outcome | undefined {
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString())
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  return isOutcome(read) ? read : undefined
}

function isOutcome(read: unknown): read is Outcome {
  if (typeof read !== 'object' || read === null) return false
  const { kind, commandId, id, version, events, code } = read as Record<string, unknown>
  if (typeof commandId !== 'string' || typeof id !== 'string') return false
  if (kind === 'failed') return typeof code === 'string'
  if (typeof version !== 'number') return false
  return kind === 'accepted' ? Array.isArray(events) : kind === 'rejected' && typeof code === 'string'
}
