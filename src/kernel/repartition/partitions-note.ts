import { z } from 'zod'
import { expectLastSequence, NEVER_EXPIRES, ROLLUP_SUBJECT } from '../../broker/batch.js'
import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { publishOnce } from '../../broker/publish-once.js'
import { partitionsSubject } from '../../broker/system-subject.js'
import { fault, isFault } from '../../error/millrace-error.js'

const count = z.number().int().nonnegative()

const partitionsNote = z.object({
  /** Numbers of partitions before and after. */
  from: z.number().int().positive(),
  to: z.number().int().positive(),
  /**
   * `begun`: processors are being stopped. `switched`: the stream uses the new number. `done`: everybody does.
   */
  phase: z.enum(['begun', 'switched', 'done']),
  /** Sequence of the note that began it: until there, every message is where the former number has it. */
  begun: count.nullable(),
  /** Sequence after which no event is where the former number has it; null: that of the note itself, or not yet. */
  cut: count.nullable(),
  /** The cut of the change before this one; 0 when there was none. */
  before: count,
  /** Processors that this change has paused, and has to resume. */
  paused: z.array(z.string()),
  /** Group of processes in which they were paused. */
  group: z.string(),
})

/** What a stream’s last note about its partitions says. */
export type PartitionsNote = z.infer<typeof partitionsNote>

/** A note and where it is. */
export interface StoredNote extends PartitionsNote {
  readonly sequence: number
  /** Up to this sequence, messages may be where another number of partitions put them; 0: none. */
  readonly history: number
}

/**
 * The last note of a stream; undefined when its number of partitions was never changed.
 * @throws COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function readNote(connection: Connection, stream: string): Promise<StoredNote | undefined> {
  const subject = partitionsSubject(stream)
  const last = await readLast(connection, stream, subject)
  return last === undefined ? undefined : stored(decode(last.data, subject), last.sequence)
}

/**
 * Stores a note, if the last one is still that of `expected`. It stays as long as the messages that it tells apart: a
 * stream that is bounded by size deletes those first.
 * @param expected its sequence; 0: there is none
 * @throws REPARTITION_UNDERWAY somebody else was first; errors of the broker
 */
export async function writeNote(
  connection: Connection,
  stream: string,
  note: PartitionsNote,
  expected: number,
): Promise<StoredNote> {
  const headers = [expectLastSequence(expected), ROLLUP_SUBJECT, NEVER_EXPIRES]
  const message = { subject: partitionsSubject(stream), headers, data: Buffer.from(JSON.stringify(note)) }
  try {
    return stored(note, (await publishOnce(connection, message)).sequence)
  } catch (error) {
    if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error
    throw fault('REPARTITION_UNDERWAY', `${stream}: another command does it at this moment`, { cause: error })
  }
}

/** The first note of phase `switched` is itself the cut: what was stored before it may be in old places. */
function stored(note: PartitionsNote, sequence: number): StoredNote {
  const { phase, cut, before } = note
  return { ...note, sequence, history: phase === 'begun' ? before : (cut ?? sequence) }
}

function decode(data: Uint8Array, subject: string): PartitionsNote {
  try {
    return partitionsNote.parse(JSON.parse(Buffer.from(data).toString('utf8')))
  } catch (error) {
    throw fault('COMMIT_RECORD_INVALID', `${subject} cannot be read`, { cause: error })
  }
}
