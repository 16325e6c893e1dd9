// The state of a processor goes from the units that it had to those that it has with another number of partitions. What
// is large, entries and parks, is written ahead, where nobody looks for it yet; then the records of all units change in
// one batch. So at every moment either the old units are whole, or the new ones.
import { expectLastSequence, NEVER_EXPIRES, ROLLUP_SUBJECT } from '../../broker/batch.js'
import type { Connection } from '../../broker/connection.js'
import { stateSubject } from '../../broker/system-subject.js'
import { fault } from '../../error/millrace-error.js'
import { partitionOfKey } from '../../event/partition.js'
import type { WireMessage } from '../../event/wire.js'
import type { Clock } from '../../time/clock.js'
import { appendixMessages } from '../appendix.js'
import { encodeCommitRecord, type CommitRecord } from '../commit-record.js'
import { parkedUnit } from '../parking/parked-unit.js'
import type { ParkedKey } from '../parking/parked-key.js'
import type { KeyedPart } from '../processor.js'
import { encodeChange } from '../state-log.js'
import type { Mover } from './affected.js'
import { copyPark } from './copy-park.js'
import { inTurns } from './in-turns.js'
import { newRecord, retiredRecord, type NewUnit } from './new-records.js'
import { astrayKey, readPart } from './old-state.js'
import { StateWriter } from './state-writer.js'
import { readUnits, type StoredUnit, type UnitRecord } from './unit-records.js'

export interface MoveOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly owner: string
  /** Sequence up to which the units that there were have handled everything. */
  readonly cut: number
  /** Whether its state is left behind. */
  readonly emptied: boolean
}

/** What was moved. */
export interface Moved {
  readonly entries: number
  readonly parkedKeys: number
}

/**
 * Moves a processor whose units are held and drained. Does nothing when it is moved already.
 * @throws REPARTITION_UNDERWAY somebody else moves it; REPARTITION_KEYS_ASTRAY; SNAPSHOT_INVALID, what regrouping throws, errors of the broker
 */
export async function moveProcessor(mover: Mover, options: MoveOptions): Promise<Moved | undefined> {
  const { before, after } = mover
  const [from, to] = [before.from.stream.partitions, after.from.stream.partitions]
  const numbers = Array.from({ length: Math.max(from, to) }, (_, at) => String(at))
  // first of all: whoever reads the records after this and still finds the old ones is the only one who moves them
  const writer = await StateWriter.open(options.connection, before.to.stream.name, mover.id, options.owner)
  const units = await readUnits(options.connection, before, numbers)
  if (isMoved(units, to)) return undefined
  const old = units.slice(0, from).map((unit) => requireDrained(mover, unit, options.cut))
  const parts = await readParts(mover, old, options)
  const generation = Math.max(...units.map(({ record }) => record?.generation ?? 0)) + 1
  // those of an outbox may have been noted at different times, between which nothing came
  const drained = Math.min(...old.map(({ record }) => record.moving?.drained ?? 0))
  const position = hasNeverRun(old) ? 0 : drained
  const records: CommitRecord[] = []
  const moved = { entries: 0, parkedKeys: 0 }
  for (let partition = 0; partition < to; partition++) {
    const { entries, basis } = partOf(mover, parts, partition)
    const subject = stateSubject(before.to.stream.name, mover.id, String(partition))
    const texts = entries.map(({ key, value }) => encodeChange(key, value))
    const stateFrom = await writer.write(appendixMessages(subject, texts))
    const parked = await moveParks(mover, old, partition, writer, options)
    const unit: NewUnit = { partition, generation, position, basis, stateFrom, parked }
    records.push(newRecord(old, to, before.memory, unit))
    moved.entries += entries.length
    moved.parkedKeys += parked.length
  }
  for (const { record } of old.slice(to)) records.push(retiredRecord(record, to))
  await writer.finish(records.map((record, at) => recordMessage(units[at] as UnitRecord, record)))
  return moved
}

/** All units change at once, so that the first one tells. */
export function isMoved(units: readonly UnitRecord[], to: number): boolean {
  const record = units[0]?.record
  return record?.partitions === to && record.moving === undefined
}

/** Its new units then begin where it would have begun. */
export function hasNeverRun(units: readonly UnitRecord[]): boolean {
  return units.every(({ record }) => record === undefined || (record.position === 0 && record.turns === 0))
}

function requireDrained({ id, before }: Mover, unit: UnitRecord, cut: number): StoredUnit {
  const { record, partition } = unit
  const detail = `${id}, partition ${partition}`
  if (record?.moving === undefined) throw fault('PROCESSOR_FENCED', `${detail} is not held any more`)
  const { drained } = record.moving
  if (drained === null || (drained !== cut && before.kind !== 'outbox') || record.partial !== null)
    throw fault('INTERNAL', `${detail} is drained up to ${drained}, not ${cut}`)
  return { ...unit, record }
}

async function readParts(
  { before, id }: Mover,
  units: readonly StoredUnit[],
  { connection, clock, emptied }: MoveOptions,
): Promise<readonly KeyedPart[]> {
  if (before.memory !== 'keyed' || emptied) return []
  return inTurns(units, async (unit) => {
    const part = await readPart(connection, clock, before, unit)
    const key = astrayKey(before, unit.partition, part)
    if (key === undefined) return part
    throw fault('REPARTITION_KEYS_ASTRAY', `${id}: key ${JSON.stringify(key)} in partition ${unit.partition}`)
  })
}

/** A hash modulo one number tells it modulo every divisor: only units that agree in those can have keys of each other. */
function partOf({ before, after }: Mover, parts: readonly KeyedPart[], partition: number): KeyedPart {
  const to = after.from.stream.partitions
  const common = greatestDivisor(before.from.stream.partitions, to)
  const own = parts.flatMap((part, at) =>
    at % common === partition % common ? [{ ...part, counts: at % to === partition }] : [],
  )
  const takes = (key: string | undefined): boolean => partitionOfKey(key, to) === partition
  return own.length === 0 ? NOTHING : (before.regroup?.({ parts: own, takes }) ?? NOTHING)
}

const NOTHING: KeyedPart = { basis: null, entries: [] }

async function moveParks(
  { before, after }: Mover,
  units: readonly StoredUnit[],
  partition: number,
  writer: StateWriter,
  { connection, clock }: MoveOptions,
): Promise<readonly ParkedKey[]> {
  const own: ParkedKey[] = []
  for (const { record, partition: was } of units)
    for (const entry of record.parked) {
      if (partitionOfKey(entry.key, after.from.stream.partitions) !== partition) continue
      own.push(entry)
      if (Number(was) === partition) continue
      await copyPark(connection, clock, parkedUnit(before, was), entry, partition, (part) => writer.write(part))
    }
  return own
}

function recordMessage({ subject, sequence }: UnitRecord, record: CommitRecord): WireMessage {
  const headers = [expectLastSequence(sequence), ROLLUP_SUBJECT, NEVER_EXPIRES]
  return { subject, headers, data: encodeCommitRecord(record) }
}

/** Euclid’s algorithm. */
function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other)
}
