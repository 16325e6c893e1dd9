import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import { commitSubject } from '../../broker/system-subject.js'
import { fault } from '../../error/millrace-error.js'
import { storeRecord } from '../claim.js'
import { decodeCommitRecord, type CommitRecord } from '../commit-record.js'
import { freshRecord } from '../fresh-record.js'
import { processorId, WHOLE, type Processor } from '../processor.js'
import { inTurns } from './in-turns.js'

/** The last record of one unit. */
export interface UnitRecord {
  readonly partition: string
  readonly subject: string
  /** Of the record; 0: there is none. */
  readonly sequence: number
  readonly record: CommitRecord | undefined
}

/** A unit that has one. */
export type StoredUnit = UnitRecord & { readonly record: CommitRecord }

const ATTEMPTS = 10

/** @throws COMMIT_RECORD_INVALID, and errors of the broker */
export async function readUnit(connection: Connection, processor: Processor, partition: string): Promise<UnitRecord> {
  const stream = processor.to.stream.name
  const subject = commitSubject(stream, processorId(processor), partition)
  const last = await readLast(connection, stream, subject)
  const record = last === undefined ? undefined : decodeCommitRecord(last.data, subject)
  return { partition, subject, sequence: last?.sequence ?? 0, record }
}

/** Reads several units, some at a time. @throws as readUnit */
export async function readUnits(
  connection: Connection,
  processor: Processor,
  partitions: readonly string[],
): Promise<readonly UnitRecord[]> {
  return inTurns(partitions, (partition) => readUnit(connection, processor, partition))
}

/**
 * Takes a unit from whoever has it: what that one has not committed is not stored any more, and nobody else gets it until
 * it is let go. A unit that has never run gets a record that says so; one that was moved already is left alone.
 * @throws PROCESSOR_FENCED somebody else keeps claiming it; COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function holdUnit(
  connection: Connection,
  processor: Processor,
  partition: string,
  { to, owner }: { readonly to: number; readonly owner: string },
): Promise<void> {
  const { created } = await readStreamIdentity(connection, processor.from.stream.name)
  await change(connection, processor, partition, (found) => {
    const { partitions } = processor.from.stream
    // moved already, or by somebody else meanwhile
    if (found !== undefined && found.partition !== WHOLE && found.partitions !== partitions) return undefined
    const record = found ?? freshRecord(processor, partition, created)
    const drained = found?.moving?.to === to ? found.moving.drained : null
    return { ...record, generation: record.generation + 1, owner, moving: { to, drained, retired: false } }
  })
}

/** Lets a unit go as it is. @throws as holdUnit */
export async function letUnitGo(connection: Connection, processor: Processor, partition: string): Promise<void> {
  await change(connection, processor, partition, (found) => {
    if (found?.moving === undefined || found.moving.retired) return undefined
    const { moving: _, ...record } = found
    return { ...record, generation: record.generation + 1 }
  })
}

/** Notes that a unit that is held has handled everything up to a sequence. @throws as holdUnit */
export async function noteDrained(
  connection: Connection,
  processor: Processor,
  partition: string,
  until: number,
): Promise<void> {
  await change(connection, processor, partition, (found) => {
    if (found?.moving === undefined)
      throw fault('PROCESSOR_FENCED', `${processorId(processor)} ${partition} was let go`)
    return { ...found, moving: { ...found.moving, drained: until } }
  })
}

/** @param next undefined: it is as it should be */
async function change(
  connection: Connection,
  processor: Processor,
  partition: string,
  next: (found: CommitRecord | undefined) => CommitRecord | undefined,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { subject, sequence, record } = await readUnit(connection, processor, partition)
    const wanted = next(record)
    if (wanted === undefined || (await storeRecord(connection, subject, wanted, sequence)) !== undefined) return
  }
  const unit = `${processorId(processor)}, partition ${partition}`
  throw fault('PROCESSOR_FENCED', `${unit} was claimed by others ${ATTEMPTS} times in a row`)
}
