import type { MillraceError } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import { sendAll } from './batch.js'
import type { Connection } from './connection.js'
import { commandsOf, encodeMessage, type EncodedMessage } from './frames.js'
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
  // a client that has no entrance for pieces refuses each for itself
  const isWhole = commandsOf(nats) !== undefined
  for (const pending of messages) {
    const { message, token } = pending
    try {
      const one = encodeMessage(message, '', server.maxPayload, `${inbox}.${token}`)
      if (isWhole) encoded.push(one)
      else sendAll(nats, [one])
    } catch (error) {
      problems.push([pending, asFault(error, `publishing to ${message.subject}`)])
    }
  }
  sendAll(nats, encoded)
  return problems
}
