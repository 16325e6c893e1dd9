import type { MsgRequest } from '@nats-io/jetstream'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/**
 * Sequence of the first message of a subject, which may have wildcards, from a sequence on, as the stream’s leader has
 * it; undefined when there is none.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function nextSequence(
  { manager }: Connection,
  stream: string,
  subject: string,
  from: number,
): Promise<number | undefined> {
  try {
    // the server takes both together; the client’s type does not know
    const query = { seq: from, next_by_subj: subject } as unknown as MsgRequest
    return (await manager.streams.getMessage(stream, query))?.seq
  } catch (error) {
    // JetStream error 10037: no message found
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 10037) return undefined
    throw asFault(error, `reading ${subject}`)
  }
}
