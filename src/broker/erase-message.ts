import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/**
 * Deletes one message of a stream, and has the server write over what it was stored as.
 * @returns false when there is none at the sequence
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function eraseMessage(connection: Connection, stream: string, sequence: number): Promise<boolean> {
  try {
    return await connection.manager.streams.deleteMessage(stream, sequence, true)
  } catch (error) {
    // 10043, 10057, 10037: there is no such message
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
    if (code === 10_043 || code === 10_057 || code === 10_037) return false
    throw asFault(error, `erasing message ${sequence} of ${stream}`)
  }
}
