import type { CommitRecord } from './commit-record.js'
import { FNV_OFFSET } from './hash.js'
import { processorId, type MemoryKind, type Processor } from './processor.js'

/** What a state begins with. Where nothing lives, there is nothing that a replay must put out. */
export function emptyState(memory: MemoryKind) {
  return {
    notices: {},
    snapshot: null,
    hash: memory === 'snapshot' ? FNV_OFFSET : 0,
    turnsToReplay: 0,
    replayFrom: null,
    basis: null,
    stateFrom: null,
    journalFrom: null,
  } as const
}

/** What a unit begins with that has never run. @param created when the input stream was made */
export function freshRecord(processor: Processor, partition: string, created: string): CommitRecord {
  return {
    ...emptyState(processor.memory),
    processor: processorId(processor),
    partition,
    partitions: processor.from.stream.partitions,
    version: processor.version,
    stateVersion: processor.version,
    generation: 0,
    owner: '',
    inputCreated: created,
    position: 0,
    origin: 0,
    time: 0,
    ticked: null,
    ordinal: 0,
    failures: 0,
    partial: null,
    outputs: 0,
    turns: 0,
    deadLetters: 0,
    parked: [],
    parkedBefore: [],
    restarts: 0,
    attempting: null,
  }
}
