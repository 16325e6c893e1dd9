import type { MillraceError } from '../../error/millrace-error.js'
import { AppendixParts, type AppendixPart } from '../appendix.js'
import type { CommitRecord } from '../commit-record.js'
import { Execution } from '../execution.js'
import type { Logic } from '../processor.js'
import { Recovery } from '../recovery.js'
import { planMemory, restoreMemory, type AppendixStart, type Loaded } from '../restore-memory.js'
import { snapshotSubject } from '../../broker/system-subject.js'
import { firstFrom, type Kept, type MemoryStore } from './memory-store.js'
import type { SimulationOptions } from './simulation-options.js'

/** A unit that has come to its position. */
export interface RecoveredUnit extends Pick<Loaded, 'spans' | 'state'> {
  readonly logic: Logic
  readonly execution: Execution
}

/**
 * Brings a unit back from its record, as begin-unit.ts does from a server: reads what is stored, replays the log up to
 * the position and compares.
 * @throws MESSAGES_GONE, PROCESSOR_NONDETERMINISTIC, and what its logic throws
 */
export function recoverUnit(
  { processor, registry, log }: SimulationOptions,
  record: CommitRecord,
  store: MemoryStore,
  onBroken: (error: MillraceError) => void,
): RecoveredUnit {
  const loaded = load(processor, record, store)
  const logic = processor.start(loaded.memory, onBroken)
  const execution = new Execution({ processor, logic, registry }, record)
  const recovery = new Recovery(record, execution, loaded.journal)
  for (let at = firstFrom(log, loaded.readFrom); at < log.length; at++) {
    const message = log[at]
    if (message === undefined || message.sequence > recovery.until) break
    recovery.replay(message)
  }
  const problem = recovery.end(processor, logic)
  if (problem !== undefined) throw problem
  return { logic, execution, spans: loaded.spans, state: loaded.state }
}

function load(processor: SimulationOptions['processor'], record: CommitRecord, store: MemoryStore): Loaded {
  const plan = planMemory(processor, record)
  const stream = processor.to.stream.name
  const chunks = Array.from({ length: plan.chunks }, (_, chunk) => {
    const subject = snapshotSubject(stream, record.processor, record.partition, chunk)
    return store.last(subject)?.data ?? new Uint8Array(0) // too few bytes are noticed
  })
  const read = (start: AppendixStart | undefined): readonly AppendixPart[] =>
    start === undefined ? [] : partsOf(store.from(start.subject, start.from), start.version)
  return restoreMemory(processor, record, { chunks, journal: read(plan.journal), state: read(plan.state) })
}

function partsOf(kept: readonly Kept[], version: string): readonly AppendixPart[] {
  const parts = new AppendixParts(version)
  for (const { subject, sequence, headers, data } of kept)
    parts.add({ subject, sequence, header: (name) => headers.find(([own]) => own === name)?.[1], data })
  return parts.all()
}
