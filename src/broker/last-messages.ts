import type { Connection } from './connection.js'
import { readEach } from './read-each.js'
import type { StoredMessage } from './stored-message.js'
import type { Clock } from '../time/clock.js'

/**
 * Reads the last message of every subject that a filter takes, in one go. For subjects that keep only their last message
 * (a rollup, one message per subject), so that reading all is reading the last.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function readLastMessages(
  connection: Connection,
  clock: Clock,
  stream: string,
  filter: string,
): Promise<ReadonlyMap<string, StoredMessage>> {
  const found = new Map<string, StoredMessage>()
  await readEach(connection, clock, stream, filter, (message) => void found.set(message.subject, message))
  return found
}
