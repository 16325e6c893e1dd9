import type { HeaderReader } from '../event/wire.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/** One message of a stream, as it is stored. */
export interface ReadMessage {
  readonly subject: string
  readonly sequence: number
  /** When the stream stored it, in milliseconds since the Unix epoch. */
  readonly storedAt: number
  readonly headers: HeaderReader
  readonly data: Uint8Array
}

/**
 * Reads the message at a sequence, from the stream’s leader; undefined when the stream has it no more.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function readMessage(
  connection: Connection,
  stream: string,
  sequence: number,
): Promise<ReadMessage | undefined> {
  try {
    const message = await connection.manager.streams.getMessage(stream, { seq: sequence })
    if (message === null) return undefined
    const { subject, seq, time, header, data } = message
    const names = new Map(header.keys().map((name) => [name.toLowerCase(), name]))
    const headers: HeaderReader = {
      get: (name) => header.get(names.get(name.toLowerCase()) ?? name) || undefined,
      entries: () => header.keys().flatMap((name) => header.values(name).map((value) => [name, value] as const)),
    }
    return { subject, sequence: seq, storedAt: time.getTime(), headers, data }
  } catch (error) {
    // JetStream error 10037: no message found
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 10037) return undefined
    throw asFault(error, `reading ${stream} ${sequence}`)
  }
}
