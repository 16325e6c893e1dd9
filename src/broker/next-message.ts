import type { MsgRequest } from '@nats-io/jetstream'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/** One message as the stream’s leader has it. */
export interface FoundMessage {
  readonly sequence: number
  /** When the stream stored it, in milliseconds since the Unix epoch. */
  readonly storedAt: number
  readonly data: Uint8Array
  /** All values of a header. */
  header(name: string): readonly string[]
}

/**
 * The first message of a subject, which may have wildcards, from a sequence on; undefined when there is none.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export function nextMessage(
  connection: Connection,
  stream: string,
  subject: string,
  from: number,
): Promise<FoundMessage | undefined> {
  // the server takes both together; the client’s type does not know
  return find(connection, stream, { seq: from, next_by_subj: subject } as unknown as MsgRequest, subject)
}

/**
 * The first message of a subject, which may have wildcards, that was stored at a time or later; undefined when there is
 * none.
 * @param since in milliseconds since the Unix epoch, by the clock of the server that led the stream then
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export function nextMessageSince(
  connection: Connection,
  stream: string,
  subject: string,
  since: number,
): Promise<FoundMessage | undefined> {
  const query = { start_time: new Date(Math.max(0, since)).toISOString(), next_by_subj: subject }
  return find(connection, stream, query as unknown as MsgRequest, subject)
}

/**
 * The message at a sequence; undefined when there is none.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export function messageAt(connection: Connection, stream: string, sequence: number): Promise<FoundMessage | undefined> {
  return find(connection, stream, { seq: sequence }, `${stream} ${sequence}`)
}

/** As nextMessage, when only its sequence matters. @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker */
export async function nextSequence(
  connection: Connection,
  stream: string,
  subject: string,
  from: number,
): Promise<number | undefined> {
  return (await nextMessage(connection, stream, subject, from))?.sequence
}

async function find(
  { manager }: Connection,
  stream: string,
  query: MsgRequest,
  what: string,
): Promise<FoundMessage | undefined> {
  try {
    const found = await manager.streams.getMessage(stream, query)
    if (found === null) return undefined
    return {
      sequence: found.seq,
      storedAt: found.time.getTime(),
      data: found.data,
      header: (name) => found.header.values(name),
    }
  } catch (error) {
    // JetStream error 10037: no message found
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 10037) return undefined
    throw asFault(error, `reading ${what}`)
  }
}
