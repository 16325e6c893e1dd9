import type { Connection } from '../../broker/connection.js'
import { partitionOfKey } from '../../event/partition.js'
import type { Clock } from '../../time/clock.js'
import type { KeyedPart, Processor } from '../processor.js'
import { readAppendixRange } from '../read-appendix.js'
import { planMemory, restoreMemory } from '../restore-memory.js'
import type { StoredUnit } from './unit-records.js'

const NOTHING: KeyedPart = { basis: null, entries: [] }

/**
 * What a unit of memory `keyed` has stored, as of its record.
 * @throws SNAPSHOT_INVALID, and errors of the broker
 */
export async function readPart(
  connection: Connection,
  clock: Clock,
  processor: Processor,
  { record, sequence }: StoredUnit,
): Promise<KeyedPart> {
  const stream = processor.to.stream.name
  const { state } = planMemory(processor, record)
  const parts =
    state === undefined ? [] : await readAppendixRange(connection, clock, { stream, ...state, to: sequence })
  const { memory } = restoreMemory(processor, record, { chunks: [], journal: [], state: parts })
  return memory.kind === 'keyed' ? { basis: memory.basis, entries: [...memory.entries] } : NOTHING
}

/** A key whose state is in another partition than the one of that key; undefined: there is none. */
export function astrayKey(processor: Processor, partition: string, part: KeyedPart): string | undefined {
  const { partitions } = processor.from.stream
  let astray: string | undefined
  const takes = (key: string | undefined): boolean => {
    if (partitionOfKey(key, partitions) !== Number(partition)) astray ??= key ?? ''
    return false
  }
  processor.regroup?.({ parts: [{ ...part, counts: false }], takes })
  return astray
}
