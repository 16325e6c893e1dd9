// What must have come out: each unit run once, uninterrupted, over the stored log and the stored journal.
import type { Connection } from '../../src/broker/connection.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { journalSubject } from '../../src/broker/system-subject.ts'
import { decodeMessages } from '../../src/event/decode.ts'
import type { Registry } from '../../src/event/registry.ts'
import { APPENDIX_ENCODING, readAppendix } from '../../src/kernel/appendix.ts'
import type { JournalEntry } from '../../src/kernel/decision.ts'
import { Execution } from '../../src/kernel/execution.ts'
import { inputFilters } from '../../src/kernel/input-filters.ts'
import { partitionsOf, processorId, unitId, type Processor } from '../../src/kernel/processor.ts'
import { readAll } from '../../test/support/events.ts'
import { Pauses, type PauseReport } from './pauses.ts'
import type { Timeline } from './timeline.ts'

export interface Verdict extends PauseReport {
  readonly events: number
  readonly outputs: number
  /** Units that had something to put out. */
  readonly units: number
  /** Expected and not stored. */
  readonly lost: number
  /** Ids that are stored more than once. */
  readonly duplicated: number
  /** Same id, other content; and stored, though nothing leads to it. */
  readonly different: number
  /** Stored in another order than that of their causes. */
  readonly outOfOrder: number
  readonly examples: readonly string[]
}

interface Stored {
  readonly content: string
  readonly at: number
  readonly storedAt: number
}

/** Compares what the processors have put out with what they would have put out alone and undisturbed. */
export async function judge(
  connection: Connection,
  registry: Registry,
  processors: readonly Processor[],
  timeline: Timeline,
): Promise<Verdict> {
  const verdict = { events: 0, outputs: 0, units: 0, lost: 0, duplicated: 0, different: 0, outOfOrder: 0 }
  const pauses = new Pauses(timeline)
  const examples: string[] = []
  const note = (kind: 'lost' | 'duplicated' | 'different' | 'outOfOrder', text: string): void => {
    verdict[kind] += 1
    if (examples.length < 20) examples.push(`${kind}: ${text}`)
  }
  for (const processor of processors) {
    const stored = await storedOutputs(connection, processor, (id) => note('duplicated', id))
    for (const partition of partitionsOf(processor)) {
      const log = await readAll(connection, processor.from.stream.name, inputFilters(processor, partition))
      const journal = await readJournal(connection, processor, partition)
      verdict.events += log.length
      let last = 0
      const before = verdict.outputs
      for (const { id, content, cause } of undisturbed(processor, registry, partition, log, journal)) {
        verdict.outputs += 1
        const found = stored.get(id)
        stored.delete(id)
        if (found === undefined) note('lost', id)
        else {
          if (found.content !== content) note('different', `${id}\n  stored   ${found.content}\n  expected ${content}`)
          if (found.at <= last) note('outOfOrder', id)
          last = found.at
          if (cause > 0) pauses.add({ id, unit: unitId(processor, partition), cause, storedAt: found.storedAt })
        }
      }
      if (verdict.outputs > before) verdict.units += 1
    }
    for (const id of stored.keys()) note('different', `${id} is stored, and nothing leads to it`)
  }
  return { ...verdict, ...pauses.report, examples }
}

interface Expected {
  readonly id: string
  readonly content: string
  /** When the message that led to it was stored; 0 for a decision. */
  readonly cause: number
}

function undisturbed(
  processor: Processor,
  registry: Registry,
  partition: string,
  log: readonly StoredMessage[],
  journal: readonly JournalEntry[],
): Expected[] {
  const logic = processor.start({ kind: 'fresh' }, (error) => {
    throw error
  })
  const execution = new Execution({ processor, logic, registry }, { position: 0, ordinal: 0, failures: 0, partition })
  const expected: Expected[] = []
  let taken = 0
  const decide = (before: number): void => {
    for (; taken < journal.length && (journal[taken]?.after ?? 0) < before; taken++) {
      const entry = journal[taken] as JournalEntry
      if (entry.kind !== 'skip') add(execution.decide(entry))
    }
  }
  const add = ({ outputs, storedAt }: ReturnType<Execution['decide']>): void => {
    for (const { headers, data } of outputs) {
      const entries = { get: (name: string) => headers.find(([key]) => key === name)?.[1], entries: () => headers }
      for (const one of contents(entries, data)) expected.push({ ...one, cause: storedAt })
    }
  }
  // a message that is begun whenever its process is killed becomes a dead letter, by chance here: that is journaled too
  const skipped = new Set(journal.flatMap((entry) => (entry.kind === 'skip' ? [entry.sequence] : [])))
  for (const message of log) {
    decide(message.sequence)
    if (skipped.has(message.sequence)) add(execution.skip(message, 0))
    else add(execution.handle(message, execution.read(message)))
  }
  decide(Number.POSITIVE_INFINITY)
  return expected
}

async function storedOutputs(
  connection: Connection,
  processor: Processor,
  onTwice: (id: string) => void,
): Promise<Map<string, Stored>> {
  const source = `${processorId(processor)}-`
  const { stream } = processor.to
  const found = new Map<string, Stored>()
  let at = 0
  for (const { headers, data, storedAt } of await readAll(connection, stream.name, [`${stream.root}.>`]))
    for (const { id, content } of contents(headers, data)) {
      if (!id.startsWith(source)) continue
      if (found.has(id)) onTwice(id)
      found.set(id, { content, at: (at += 1), storedAt })
    }
  return found
}

function contents(headers: StoredMessage['headers'], data: Uint8Array): { id: string; content: string }[] {
  return decodeMessages(headers, data).map((one) => {
    if (one.kind === 'rejected') return { id: 'rejected', content: one.detail }
    const { id, source, type, version, time, key, correlationId, causationId, attributes, data: content } = one.envelope
    const all = [source, type, version, time, key, correlationId, causationId, attributes, content]
    return { id, content: JSON.stringify(all) }
  })
}

async function readJournal(connection: Connection, processor: Processor, partition: string): Promise<JournalEntry[]> {
  const { name } = processor.to.stream
  const subject = journalSubject(name, processorId(processor), partition)
  const messages = await readAll(connection, name, [subject])
  return messages.flatMap(
    ({ headers, data }) => readAppendix(subject, headers.get(APPENDIX_ENCODING), data) as readonly JournalEntry[],
  )
}
