import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/**
 * Subjects of a stream that have messages, as its leader has them.
 * @param filter a subject that may have wildcards
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function subjectsIn({ manager }: Connection, stream: string, filter: string): Promise<readonly string[]> {
  try {
    return Object.keys((await manager.streams.info(stream, { subjects_filter: filter })).state.subjects ?? {})
  } catch (error) {
    throw asFault(error, `reading the subjects of ${stream}`)
  }
}
