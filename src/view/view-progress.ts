import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { nextSequence } from '../broker/next-message.js'
import { consumerFloor } from '../broker/position-consumer.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { commitSubject } from '../broker/system-subject.js'
import { storedFilter } from '../event/subject.js'
import { decodeCommitRecord, type CommitRecord } from '../kernel/commit-record.js'
import { partitionsOf, processorId, WHOLE } from '../kernel/processor.js'
import { readNote } from '../kernel/repartition/partitions-note.js'
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

/** The last record of each unit of a version. */
export async function recordsOf(
  connection: Connection,
  pointer: ViewPointer,
  place: ViewPlace,
): Promise<ReadonlyMap<string, CommitRecord | undefined>> {
  const { id, partitions } = unitsOf(pointer, place)
  const records = partitions.map(async (partition) => {
    const subject = commitSubject(pointer.stream.name, id, partition)
    const last = await readLast(connection, pointer.stream.name, subject)
    return [partition, last === undefined ? undefined : decodeCommitRecord(last.data, subject)] as const
  })
  return new Map(await Promise.all(records))
}

/**
 * Whether the rows of a version hold everything up to a sequence of its stream: each unit’s position is there, or there
 * is nothing for the unit between.
 */
export async function hasReached(
  connection: Connection,
  announced: ViewPointer,
  place: ViewPlace,
  sequence: number,
): Promise<boolean> {
  const { pointer, history } = await asPartitioned(connection, announced)
  const { name, root, partitions, aggregates } = pointer.stream
  for (const [partition, record] of await recordsOf(connection, pointer, place)) {
    const only = partition === WHOLE ? undefined : Number(partition)
    // one that worked with another number of partitions had other keys
    const other = only !== undefined && record?.partitions !== partitions
    const position = other ? 0 : (record?.position ?? 0)
    if (position >= sequence) continue
    let from = position + 1
    if (only !== undefined && position < history) {
      // subjects do not tell what is for it there; its consumer begins behind that, once all of it is done (UnitFeed)
      const unit = `${unitsOf(pointer, place).id}-${partition}`
      if ((await consumerFloor(connection, name, unit)) < history) return false
      from = history + 1
    }
    const types = aggregates ? ['>'] : place.types // as inputFilters has it
    for (const type of types) {
      const next = await nextSequence(connection, name, storedFilter(root, type, only), from)
      if (next !== undefined && next <= sequence) return false
    }
  }
  return true
}

/**
 * A pointer with the number of partitions that its stream has now: units that work with it have not announced it before
 * they begin. And up to where messages may be in the places of another number.
 */
async function asPartitioned(
  connection: Connection,
  pointer: ViewPointer,
): Promise<{ readonly pointer: ViewPointer; readonly history: number }> {
  const { stream } = pointer
  const note = await readNote(connection, stream.name)
  if (note === undefined) return { pointer, history: 0 }
  const { partitioning } = await readStreamIdentity(connection, stream.name)
  const partitions = partitioning?.partitions ?? stream.partitions
  return { pointer: { ...pointer, stream: { ...stream, partitions } }, history: note.history }
}
