import type { MillraceError } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import { sendAll } from './batch.js'
import type { Connection } from './connection.js'
import { encodeMessage, type EncodedMessage } from './frames.js'
import type { Pending } from './publish-window.js'

/** Between two links the client keeps what it is given, and would send it ahead of what was lost with the first. */
export function isBetweenLinks({ nats }: Connection): boolean {
  return nats.info === undefined && !nats.isClosed()
}

/**
 * Sends messages in one piece, in their order; the receipt of each comes to the inbox, under its token.
 * @returns those that cannot be sent, and why
 */
export function sendPending(
  { nats, server }: Connection,
  messages: readonly Pending[],
  inbox: string,
): readonly (readonly [Pending, MillraceError])[] {
  const problems: [Pending, MillraceError][] = []
  const encoded: EncodedMessage[] = []
  for (const pending of messages) {
    const { message, token } = pending
    try {
      encoded.push(encodeMessage(message, '', server.maxPayload, `${inbox}.${token}`))
    } catch (error) {
      problems.push([pending, asFault(error, `publishing to ${message.subject}`)])
    }
  }
  try {
    sendAll(nats, encoded)
    return problems
  } catch (error) {
    return messages.map((pending) => [pending, asFault(error, `publishing to ${pending.message.subject}`)])
  }
}
