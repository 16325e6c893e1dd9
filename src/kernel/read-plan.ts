import type { Connection } from '../broker/connection.js'
import { isMerge } from '../broker/merge-stream.js'
import { WHOLE, type Processor } from './processor.js'
import { readNote } from './repartition/partitions-note.js'

/** How a unit finds its messages up to a sequence, that one included. */
export interface Segment {
  readonly until: number
  /**
   * `subject`: they are those of its partition. `key`: they are those whose key belongs to its partition, wherever
   * another number of partitions has put them.
   */
  readonly by: 'subject' | 'key'
}

export interface ReadPlan {
  /** In the order of the log. */
  readonly segments: readonly Segment[]
  /** The last segment has an end, and everything up to it was handed over and released. */
  readonly onEnd?: () => void
}

const REST: Segment = { until: Number.POSITIVE_INFINITY, by: 'subject' }

/** That of a unit whose stream always had the same number of partitions. */
export const BY_SUBJECT: ReadPlan = { segments: [REST] }

/**
 * Whether what a unit reads can be where another number of partitions has put it. A unit that reads all partitions finds
 * everything; what waits in an outbox is carried over before the number changes.
 */
export function hasHistory({ from, kind }: Pick<Processor, 'from' | 'kind'>, partition: string): boolean {
  return partition !== WHOLE && kind !== 'outbox' && !isMerge(from.stream)
}

/**
 * How a unit reads its stream, after every change of the number of partitions that there was.
 * @throws COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function readPlan(
  connection: Connection,
  processor: Pick<Processor, 'from' | 'kind'>,
  partition: string,
): Promise<ReadPlan> {
  if (!hasHistory(processor, partition)) return BY_SUBJECT
  return planAfter((await readNote(connection, processor.from.stream.name))?.history ?? 0)
}

/** @param history sequence up to which messages may be anywhere; 0: none is */
export function planAfter(history: number): ReadPlan {
  return history === 0 ? BY_SUBJECT : { segments: [{ until: history, by: 'key' }, REST] }
}
