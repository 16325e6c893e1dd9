import type { KeyedPart, MemoryKind } from '../processor.js'
import type { CommitRecord } from '../commit-record.js'
import { emptyState } from '../fresh-record.js'
import type { ParkedKey } from '../parking/parked-key.js'
import type { StoredUnit } from './unit-records.js'

/** What one unit begins with that takes over from others. */
export interface NewUnit {
  readonly partition: number
  /** Above that of every record that there was. */
  readonly generation: number
  /** It goes on after this sequence. */
  readonly position: number
  readonly basis: KeyedPart['basis']
  /** Where its state log begins; undefined: it has no entries. */
  readonly stateFrom: number | undefined
  readonly parked: readonly ParkedKey[]
}

/**
 * The record with which a unit goes on that takes over from others. What was counted by the unit of number p is counted on by the
 * new unit of number p modulo `to`.
 * @param before all units that the processor had, in order of their numbers, drained
 */
export function newRecord(
  before: readonly StoredUnit[],
  to: number,
  memory: MemoryKind,
  { partition, generation, position, basis, stateFrom, parked }: NewUnit,
): CommitRecord {
  const records = before.map(({ record }) => record)
  const [first] = records
  if (first === undefined) throw new Error('a processor without units')
  const own = records.filter((_, at) => at % to === partition)
  const sum = (of: (record: CommitRecord) => number): number => own.reduce((all, record) => all + of(record), 0)
  const { processor, version, stateVersion, inputCreated } = first
  return {
    ...emptyState(memory),
    processor,
    partition: String(partition),
    partitions: to,
    version,
    stateVersion,
    generation,
    owner: first.owner,
    inputCreated,
    position,
    origin: position,
    time: Math.max(...records.map(({ time }) => time)),
    ticked: null,
    ordinal: 0,
    failures: 0,
    partial: null,
    basis: basis ?? null,
    stateFrom: stateFrom ?? null,
    parked,
    parkedBefore: parked,
    outputs: sum(({ outputs }) => outputs),
    turns: sum(({ turns }) => turns),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    notices: sumNotices(own),
    restarts: 0,
    attempting: null,
  }
}

/** The record of a unit that is no more. */
export function retiredRecord(record: CommitRecord, to: number): CommitRecord {
  const { processor, version, stateVersion, inputCreated, partitions, partition, position, owner, time } = record
  return {
    ...emptyState('none'),
    processor,
    version,
    stateVersion,
    inputCreated,
    partitions,
    partition,
    position,
    owner,
    time,
    ticked: null,
    generation: record.generation + 1,
    origin: position,
    ordinal: 0,
    failures: 0,
    partial: null,
    parked: [],
    parkedBefore: [],
    outputs: 0,
    turns: 0,
    deadLetters: 0,
    restarts: 0,
    attempting: null,
    moving: { to, drained: null, retired: true },
  }
}

function sumNotices(records: readonly CommitRecord[]): Record<string, number> {
  const all: Record<string, number> = {}
  for (const { notices } of records)
    for (const [name, times] of Object.entries(notices)) all[name] = (all[name] ?? 0) + times
  return all
}
