import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { isMerge } from '../../broker/merge-stream.js'
import { commitSubject } from '../../broker/system-subject.js'
import { decodeCommitRecord } from '../commit-record.js'
import { processorId, type Processor } from '../processor.js'
import type { ParkedKey } from './parked-key.js'

/** One unit of a processor, as who looks at its parked keys needs it. */
export interface ParkedUnit {
  /** Name of the processor on the wire. */
  readonly processor: string
  readonly partition: string
  /** Names of the stream that it reads, and of the one that it commits to. */
  readonly input: string
  readonly output: string
  /** Whether the server fills the input from other streams: it takes no batches then. */
  readonly merged: boolean
}

/** What one unit has parked, and how far it is. */
export interface UnitParking {
  readonly parked: readonly ParkedKey[]
  /** Sequence of the last message whose turn is committed. */
  readonly position: number
  /** Sequences of messages up to there that came back and are still worked on; see MOST_PENDING. */
  readonly pending: readonly number[]
}

/**
 * Where a logic whose events are done later than in their turn says so in its basis: sequences, ascending, of those that
 * came back from dead letters. Of more than this many the rest is not said.
 */
export const MOST_PENDING = 1_000

interface WithPending {
  readonly pending?: readonly number[]
}

export function parkedUnit(processor: Pick<Processor, 'kind' | 'name' | 'from' | 'to'>, partition: string): ParkedUnit {
  const { from, to } = processor
  const [input, output] = [from.stream.name, to.stream.name]
  return { processor: processorId(processor), partition, input, output, merged: isMerge(from.stream) }
}

/**
 * What a unit has parked, as of its last commit; undefined when it has never run.
 * @throws COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function readUnitParking(
  connection: Connection,
  { processor, partition, output }: ParkedUnit,
): Promise<UnitParking | undefined> {
  const subject = commitSubject(output, processor, partition)
  const last = await readLast(connection, output, subject)
  if (last === undefined) return undefined
  const { parked, position, basis } = decodeCommitRecord(last.data, subject)
  return { parked, position, pending: (basis as WithPending | null)?.pending ?? [] }
}
