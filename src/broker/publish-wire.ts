import type { WireMessage } from '../event/wire.js'
import type { MillraceError } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import { encodeBatch, sendAll } from './batch.js'
import type { Connection } from './connection.js'
import { encodeHeaders } from './headers.js'
import type { Pending } from './publish-window.js'

/** Between two links the client keeps what it is given, and would send it ahead of what was lost with the first. */
export function isBetweenLinks({ nats }: Connection): boolean {
  return nats.info === undefined && !nats.isClosed()
}

/** Sends one message, whose receipt comes to `reply`. @returns why it cannot be sent */
export function sendAlone(
  { nats }: Connection,
  { subject, data, headers }: WireMessage,
  reply: string,
): MillraceError | undefined {
  try {
    nats.publish(subject, data, { headers: encodeHeaders(headers), reply })
    return undefined
  } catch (error) {
    return asFault(error, `publishing to ${subject}`)
  }
}

/**
 * Sends messages as one atomic batch, whose receipt comes to `reply`.
 * @returns the one that commits it; undefined: one of them cannot be sent, and none was
 */
export function sendTogether(
  { nats, server }: Connection,
  batch: readonly Pending[],
  reply: string,
): Pending | undefined {
  const messages = batch.map(({ message }) => message)
  try {
    const encoded = encodeBatch(messages, server.maxPayload)
    sendAll(
      nats,
      encoded.map((one, at) => (at === encoded.length - 1 ? { ...one, reply } : one)),
    )
    return batch[batch.length - 1]
  } catch {
    return undefined // which of them, and why, shows when each is sent alone
  }
}
