import { expectLastSequence, ROLLUP_SUBJECT } from '../../broker/batch.js'
import type { Connection } from '../../broker/connection.js'
import { publishOnce } from '../../broker/publish-once.js'
import { isFault } from '../../error/millrace-error.js'

/** The message that takes the place of all others goes by itself. */
const SOON = ['Nats-TTL', '1s'] as const

/**
 * Removes what is parked under a subject, if its last message is still the one of `last`. No purge: the user that runs
 * processors need not have the right to remove anything else.
 * @throws errors of the broker
 */
export async function emptyPark(connection: Connection, subject: string, last: number): Promise<void> {
  try {
    const headers = [expectLastSequence(last), ROLLUP_SUBJECT, SOON]
    await publishOnce(connection, { subject, headers, data: new Uint8Array(0) })
  } catch (error) {
    if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error // else its key was parked anew meanwhile
  }
}
