import { expectLastSequence, NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { consumerExists } from '../broker/position-consumer.js'
import { publishOnce } from '../broker/publish-once.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { commitSubject } from '../broker/system-subject.js'
import { fault, isFault } from '../error/millrace-error.js'
import { decodeCommitRecord, encodeCommitRecord, type CommitRecord } from './commit-record.js'
import { emptyState, freshRecord } from './fresh-record.js'
import {
  requireDeclaredPartitions,
  requireMoving,
  requireNoOtherUnits,
  requireNotMoving,
} from './require-partitions.js'
import type { Upgrade } from './processor-policies.js'
import { processorId, unitId, WHOLE, type Processor } from './processor.js'

/** A processor’s right to commit, until somebody else claims it. */
export interface Claim {
  /** What the processor goes on from. */
  readonly record: CommitRecord
  /** Stream sequence of the record: what the next commit expects. */
  readonly sequence: number
  /** What is stored there: as `record`, but with the former code’s state until one that was made anew is stored. */
  readonly stored: CommitRecord
  /** Version that wrote the state found, when it was another one. */
  readonly changedFrom: string | undefined
  /** What becomes of that state. */
  readonly upgrade: Upgrade
}

const ATTEMPTS = 10

/**
 * Takes a processor over: reads its last commit and stores it again under a new generation, on condition that nobody
 * was faster. From then on a commit of the former owner is refused by the server, whatever it still has in hand.
 * @param moves for who changes the number of partitions: nobody else gets the unit meanwhile
 * @throws PROCESSOR_FENCED somebody else keeps claiming it; COMMIT_RECORD_GONE, COMMIT_RECORD_INVALID, STREAM_REPLACED,
 *   PARTITIONS_CHANGED, REPARTITION_UNDERWAY, VERSION_CHANGED, VERSION_OLDER, PARKED_KEYS_BLOCK_REBUILD; errors of the
 *   broker
 */
export async function claim(
  connection: Connection,
  processor: Processor,
  partition: string,
  owner: string,
  moves = false,
): Promise<Claim> {
  const stream = processor.to.stream.name
  const subject = commitSubject(stream, processorId(processor), partition)
  const { created, partitioning } = await readStreamIdentity(connection, processor.from.stream.name)
  if (!moves) await requireDeclaredPartitions(connection, processor, partition, partitioning)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const last = await readLast(connection, stream, subject)
    const found = last === undefined ? undefined : decodeCommitRecord(last.data, subject)
    if (moves) requireMoving(found, subject)
    else requireNotMoving(found)
    if (found === undefined) await requireNew(connection, processor, partition, subject)
    else requireSameInput(found, created, processor)
    const changed = found !== undefined && found.stateVersion !== processor.version
    if (changed && moves) throw fault('REPARTITION_OTHER_VERSION', `${subject} is of version ${found.stateVersion}`)
    if (changed) requireUpgrade(found, processor)
    const claimed: CommitRecord = {
      ...(found ?? freshRecord(processor, partition, created)),
      version: processor.version,
      generation: (found?.generation ?? 0) + 1,
      owner,
      restarts: (found?.restarts ?? 0) + 1,
    }
    const record: CommitRecord = { ...claimed, ...(changed ? changedState(found, processor) : {}) }
    // until a state that was made anew is stored, the former code can go on with its own
    const stored = changed && upgradeOf(processor) === 'rebuild' ? claimed : record
    const sequence = await storeRecord(connection, subject, stored, last?.sequence ?? 0)
    if (sequence !== undefined)
      return {
        record,
        sequence,
        stored,
        changedFrom: changed ? found.stateVersion : undefined,
        upgrade: upgradeOf(processor),
      }
  }
  throw fault('PROCESSOR_FENCED', `${subject} was claimed by others ${ATTEMPTS} times in a row`)
}

/** What the processor does with the state of other code. */
export function upgradeOf({ upgrade, memory }: Pick<Processor, 'upgrade' | 'memory'>): Upgrade {
  return upgrade ?? (memory === 'none' ? 'keep' : 'refuse')
}

/** @throws VERSION_CHANGED, VERSION_OLDER */
function requireUpgrade(found: CommitRecord, processor: Processor): void {
  const [was, is] = [Number(found.version), Number(processor.version)]
  const detail = `${found.processor}: version ${processor.version}, its state is of version ${found.stateVersion}`
  if (Number.isInteger(was) && Number.isInteger(is) && is < was) throw fault('VERSION_OLDER', detail)
  const drained = upgradeOf(processor) !== 'drain' || (found.replayFrom === null && found.partial === null)
  if (upgradeOf(processor) === 'refuse' || !drained) throw fault('VERSION_CHANGED', detail)
  if (upgradeOf(processor) === 'rebuild') requireNothingParked(found)
}

/** @throws PARKED_KEYS_BLOCK_REBUILD */
export function requireNothingParked({ processor, partition, parked }: CommitRecord): void {
  const [first] = parked
  if (first === undefined) return
  const detail = `${processor}, partition ${partition}: ${parked.length}, ${JSON.stringify(first.key)} the first of them`
  throw fault('PARKED_KEYS_BLOCK_REBUILD', detail)
}

/** Outputs of a turn in parts stay stored, and their ids must not be given a second time. */
function changedState(found: CommitRecord, processor: Processor): Partial<CommitRecord> {
  const origin = found.position
  const partial = found.partial === null ? null : { ...found.partial, journal: [] }
  switch (upgradeOf(processor)) {
    case 'keep':
      if (processor.memory === 'snapshot') return { partial } // the replay begins where the former code’s would
      return processor.memory === 'none' ? { stateVersion: processor.version, partial } : { origin }
    case 'rebuild':
      return { ...emptyState(processor.memory), origin: 0, partial }
    default:
      // keys stay parked: their events come to the state that begins here
      return {
        ...emptyState(processor.memory),
        parkedBefore: found.parked,
        origin,
        partial,
        stateVersion: processor.version,
      }
  }
}

/**
 * A processor that has a consumer has run before: without its record nobody knows how far it was.
 * @throws COMMIT_RECORD_GONE, PARTITIONS_CHANGED
 */
async function requireNew(
  connection: Connection,
  processor: Processor,
  partition: string,
  subject: string,
): Promise<void> {
  const stream = processor.from.stream.name
  const consumer = unitId(processor, partition)
  if (await consumerExists(connection, stream, consumer))
    throw fault('COMMIT_RECORD_GONE', `${subject}; its consumer ${consumer} on ${stream} is still there`)
  await requireNoOtherUnits(connection, processor, partition)
}

/** Positions mean nothing in another stream of the same name. @throws STREAM_REPLACED, PARTITIONS_CHANGED */
function requireSameInput(found: CommitRecord, created: string, processor: Processor): void {
  const { name, partitions } = processor.from.stream
  if (found.partition !== WHOLE && found.partitions !== partitions)
    throw fault(
      'PARTITIONS_CHANGED',
      `${found.processor} read ${name} in ${found.partitions}, now it has ${partitions}`,
    )
  if (found.inputCreated === created) return
  throw fault(
    'STREAM_REPLACED',
    `${found.processor} read ${name} as made at ${found.inputCreated}, now it is of ${created}`,
  )
}

/**
 * Stores a record as the next one of its unit. Resolves with its sequence, or undefined when somebody else was first.
 * @param expected sequence of the last record; 0: there is none
 * @throws errors of the broker, after some of which it may be stored all the same
 */
export async function storeRecord(
  connection: Connection,
  subject: string,
  record: CommitRecord,
  expected: number,
): Promise<number | undefined> {
  const headers = [expectLastSequence(expected), ROLLUP_SUBJECT, NEVER_EXPIRES]
  try {
    return (await publishOnce(connection, { subject, headers, data: encodeCommitRecord(record) })).sequence
  } catch (error) {
    if (isFault(error, 'SEQUENCE_CONFLICT')) return undefined
    throw error
  }
}
