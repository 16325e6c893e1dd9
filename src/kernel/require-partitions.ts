import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { readLast } from '../broker/last-message.js'
import type { Partitioning } from '../broker/partitioning.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { subjectsIn } from '../broker/subjects-in.js'
import { commitSubject } from '../broker/system-subject.js'
import { fault, isFault } from '../error/millrace-error.js'
import { decodeCommitRecord, type CommitRecord } from './commit-record.js'
import { processorId, WHOLE, type Processor } from './processor.js'

/**
 * That the streams spread their keys as a unit believes: the one that it reads, and those for which it works partitions
 * out itself, because it packs events of one partition together or puts them into an outbox.
 * @throws PARTITIONS_CHANGED, and errors of the broker
 */
export async function requireDeclaredPartitions(
  connection: Connection,
  processor: Processor,
  partition: string,
  input: Partitioning | undefined,
): Promise<void> {
  const { from, to, kind } = processor
  if (partition !== WHOLE && input?.root === from.stream.root) requireSame(processor, from.stream, input)
  const written = [
    ...(to.packed === true || kind === 'outbox' ? [to.stream] : []),
    ...(to.others ?? []).map(({ stream }) => stream),
  ]
  for (const stream of new Set(written)) requireSame(processor, stream, await partitioningOf(connection, stream))
}

/**
 * That a unit which has never run is one of those that its processor has always had. Beside units of other partitions, or
 * one for all of them, it would handle everything a second time.
 * @throws PARTITIONS_CHANGED, COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function requireNoOtherUnits(
  connection: Connection,
  processor: Processor,
  partition: string,
): Promise<void> {
  const id = processorId(processor)
  const { partitions, name } = processor.from.stream
  const output = processor.to.stream.name
  for (const subject of await subjectsIn(connection, output, commitSubject(output, id, '*'))) {
    const other = subject.slice(subject.lastIndexOf('.') + 1)
    const fits = partition === WHOLE ? other === WHOLE : other !== WHOLE && Number(other) < partitions
    if (fits) continue
    const last = await readLast(connection, output, subject)
    if (last === undefined || decodeCommitRecord(last.data, subject).moving?.retired === true) continue
    const was = other === WHOLE ? 'one unit for all partitions' : `a unit of its own for partition ${other}`
    const is = partition === WHOLE ? 'it is one unit for all' : `${name} has ${partitions}, each with a unit of its own`
    throw fault('PARTITIONS_CHANGED', `${id} has run as ${was}, now ${is}`)
  }
}

/** @throws REPARTITION_UNDERWAY, PARTITIONS_CHANGED the unit is no more */
export function requireNotMoving(record: CommitRecord | undefined): void {
  if (record?.moving === undefined) return
  const { processor, partition, moving } = record
  const unit = `${processor}, partition ${partition}`
  if (moving.retired) throw fault('PARTITIONS_CHANGED', `${unit} is no more: there are ${moving.to} partitions now`)
  throw fault('REPARTITION_UNDERWAY', `${unit}: to ${moving.to} partitions`)
}

/** That a unit is still held for who changes the number of partitions. @throws PROCESSOR_FENCED it was let go, or moved */
export function requireMoving(record: CommitRecord | undefined, subject: string): void {
  if (record?.moving === undefined || record.moving.retired)
    throw fault('PROCESSOR_FENCED', `${subject} is not held any more`)
}

function requireSame(processor: Processor, declared: StreamDeclaration, found: Partitioning | undefined): void {
  if (found === undefined || found.root !== declared.root || found.partitions === declared.partitions) return
  const numbers = `${declared.name} is declared with ${declared.partitions} partitions, it has ${found.partitions}`
  throw fault('PARTITIONS_CHANGED', `${processorId(processor)}: ${numbers}`)
}

async function partitioningOf(connection: Connection, { name }: StreamDeclaration): Promise<Partitioning | undefined> {
  try {
    return (await readStreamIdentity(connection, name)).partitioning
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined // who publishes to it says so
    throw error
  }
}
