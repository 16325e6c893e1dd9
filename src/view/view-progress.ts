import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { nextSequence } from '../broker/next-message.js'
import { commitSubject } from '../broker/system-subject.js'
import { storedFilter } from '../event/subject.js'
import { decodeCommitRecord } from '../kernel/commit-record.js'
import { partitionsOf, processorId, WHOLE } from '../kernel/processor.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { versionName, type ViewPlace, type ViewPointer } from './view-pointer.js'

/** The units of one version of a view: those of its processor. */
export interface ViewUnits {
  readonly id: string
  readonly partitions: readonly string[]
}

export function unitsOf({ view, stream }: ViewPointer, { version, spread }: ViewPlace): ViewUnits {
  return {
    id: processorId({ kind: 'view', name: versionName(view, version) }),
    partitions: partitionsOf({ spread, from: { stream: { partitions: stream.partitions } as StreamDeclaration } }),
  }
}

/** How far each unit of a version is. */
export async function positionsOf(
  connection: Connection,
  pointer: ViewPointer,
  place: ViewPlace,
): Promise<ReadonlyMap<string, number>> {
  const { id, partitions } = unitsOf(pointer, place)
  const positions = partitions.map(async (partition) => {
    const subject = commitSubject(pointer.stream.name, id, partition)
    const last = await readLast(connection, pointer.stream.name, subject)
    const position = last === undefined ? 0 : decodeCommitRecord(last.data, subject).position
    return [partition, position] as const
  })
  return new Map(await Promise.all(positions))
}

/**
 * Whether the rows of a version hold everything up to a sequence of its stream: each unit’s position is there, or there
 * is nothing for the unit between.
 */
export async function hasReached(
  connection: Connection,
  pointer: ViewPointer,
  place: ViewPlace,
  sequence: number,
): Promise<boolean> {
  for (const [partition, position] of await positionsOf(connection, pointer, place)) {
    if (position >= sequence) continue
    const { name, root, aggregates } = pointer.stream
    const only = partition === WHOLE ? undefined : Number(partition)
    const types = aggregates ? ['>'] : place.types // as inputFilters has it
    for (const type of types) {
      const next = await nextSequence(connection, name, storedFilter(root, type, only), position + 1)
      if (next !== undefined && next <= sequence) return false
    }
  }
  return true
}
