import type { Connection } from '../../broker/connection.js'
import { isMerge } from '../../broker/merge-stream.js'
import { isFault } from '../../error/millrace-error.js'
import { readNote, type StoredNote } from '../../kernel/repartition/partitions-note.js'
import type { Deployment } from '../../runtime/deployment.js'

/** A stream whose number of partitions is being changed. */
export interface Underway {
  readonly stream: string
  readonly from: number
  readonly to: number
  /** Whether the stream uses the new number already, so that there is no way back. */
  readonly switched: boolean
}

/** Changes that are not finished. @throws COMMIT_RECORD_INVALID, and errors of the broker */
export async function underwayIn(connection: Connection, { streams }: Deployment): Promise<readonly Underway[]> {
  const found: Underway[] = []
  for (const declared of streams.filter((stream) => !isMerge(stream))) {
    const note = await noteOf(connection, declared.name)
    if (note === undefined || note.phase === 'done') continue
    found.push({ stream: declared.name, from: note.from, to: note.to, switched: note.phase === 'switched' })
  }
  return found
}

async function noteOf(connection: Connection, stream: string): Promise<StoredNote | undefined> {
  try {
    return await readNote(connection, stream)
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined // whoever reads it says so
    throw error
  }
}
