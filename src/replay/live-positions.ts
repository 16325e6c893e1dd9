import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { commitSubject } from '../broker/system-subject.js'
import { decodeCommitRecord } from '../kernel/commit-record.js'
import { partitionsOf, processorId, WHOLE, type Processor } from '../kernel/processor.js'

/** Up to where the outputs of a processor are stored, unit by unit; 0 for one that has never run. */
export class LivePositions {
  readonly #positions: ReadonlyMap<string, number>
  readonly furthest: number

  constructor(positions: ReadonlyMap<string, number>) {
    this.#positions = positions
    this.furthest = Math.max(...positions.values())
  }

  /** That of the unit which handles what is in a partition; of one that there was before the number changed, the furthest. */
  of(partition: number): number {
    return this.#positions.get(WHOLE) ?? this.#positions.get(String(partition)) ?? this.furthest
  }
}

/** @throws COMMIT_RECORD_INVALID and errors of the broker */
export async function livePositions(
  connection: Connection,
  processor: Pick<Processor, 'kind' | 'name' | 'from' | 'to' | 'spread' | 'memory' | 'worksIn'>,
): Promise<LivePositions> {
  const stream = processor.to.stream.name
  const positions = await Promise.all(
    partitionsOf(processor).map(async (partition) => {
      const own = commitSubject(stream, processorId(processor), partition)
      const shared = processor.worksIn === undefined ? own : commitSubject(stream, processor.worksIn, partition)
      const found = await readLast(connection, stream, shared)
      const [subject, record] = found === undefined ? [own, await readLast(connection, stream, own)] : [shared, found]
      return [partition, record === undefined ? 0 : decodeCommitRecord(record.data, subject).position] as const
    }),
  )
  return new LivePositions(new Map(positions))
}
