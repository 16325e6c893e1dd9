import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/** One message read by subject, without a consumer. */
export interface LastMessage {
  readonly sequence: number
  /** When the stream stored it, in milliseconds since the Unix epoch. */
  readonly storedAt: number
  readonly data: Uint8Array
  /** Value of a header; undefined when it has none of this name. */
  readonly header: (name: string) => string | undefined
}

/**
 * Reads the last message of a subject from the stream’s leader, so that what was acknowledged is seen.
 * Resolves with undefined when the subject has none.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function readLast(
  connection: Connection,
  stream: string,
  subject: string,
): Promise<LastMessage | undefined> {
  try {
    const message = await connection.manager.streams.getMessage(stream, { last_by_subj: subject })
    return message === null
      ? undefined
      : {
          sequence: message.seq,
          storedAt: message.time.getTime(),
          data: message.data,
          header: (name) => message.header.get(name) || undefined,
        }
  } catch (error) {
    // JetStream error 10037: no message found
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 10037) return undefined
    throw asFault(error, `reading ${subject}`)
  }
}
