import type { Connection } from '../broker/connection.js'
import { journalSubject, stateSubject } from '../broker/system-subject.js'
import { fault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { Claim } from './claim.js'
import type { CommitRecord } from './commit-record.js'
import { journalEntry, type JournalEntry } from './decision.js'
import type { JournalSpan } from './journal-spans.js'
import type { KeyedEntry, Memory, Processor } from './processor.js'
import { readAppendixRange } from './read-appendix.js'
import { readSnapshot } from './snapshot.js'

/** What a processor comes back with. */
export interface Loaded {
  readonly memory: Memory
  /** First message that it has to be given. */
  readonly readFrom: number
  readonly journal: readonly JournalEntry[]
  readonly spans: readonly JournalSpan[]
  /** Entries in the state log, and how many of them live. */
  readonly state: { readonly written: number; readonly live: number }
}

/**
 * Reads what a processor’s last commit points to.
 * @throws SNAPSHOT_INVALID, and errors of the broker
 */
export async function loadMemory(
  connection: Connection,
  clock: Clock,
  processor: Processor,
  { record, sequence }: Claim,
): Promise<Loaded> {
  const next = record.position + 1
  const stream = processor.to.stream.name
  const none = { journal: [], spans: [], state: { written: 0, live: 0 } }
  switch (processor.memory) {
    case 'none':
      return { ...none, memory: { kind: 'fresh' }, readFrom: next }
    case 'snapshot': {
      const state = await readSnapshot(connection, stream, record)
      const from = record.snapshot?.position ?? record.origin
      const journal = await readJournal(connection, clock, stream, record, sequence, from)
      const memory: Memory = state === undefined ? { kind: 'fresh' } : { kind: 'snapshot', state }
      return { ...none, ...journal, memory, readFrom: from + 1 }
    }
    case 'replay': {
      const from = record.replayFrom ?? next
      const journal = await readJournal(connection, clock, stream, record, sequence, from)
      return { ...none, ...journal, memory: replayMemory(record), readFrom: from }
    }
    case 'keyed': {
      const { entries, written } = await readState(connection, clock, stream, record, sequence)
      const fresh = record.stateFrom === null && record.basis === null
      const memory: Memory = fresh
        ? { kind: 'fresh' }
        : { kind: 'keyed', basis: record.basis, entries, version: record.stateVersion }
      return { ...none, memory, readFrom: next, state: { written, live: entries.length } }
    }
  }
}

function replayMemory({ basis, origin }: CommitRecord): Memory {
  return basis === null || basis === undefined ? { kind: 'fresh' } : { kind: 'replay', basis, origin }
}

/** @param needed position from which entries count */
async function readJournal(
  connection: Connection,
  clock: Clock,
  stream: string,
  record: CommitRecord,
  to: number,
  needed: number,
): Promise<Pick<Loaded, 'journal' | 'spans'>> {
  if (record.journalFrom === null) return { journal: [], spans: [] }
  const subject = journalSubject(stream, record.processor, record.partition)
  const parts = await readAppendixRange(connection, clock, { stream, subject, from: record.journalFrom, to })
  const journal: JournalEntry[] = []
  const spans: JournalSpan[] = []
  for (const { sequence, items } of parts) {
    for (const item of items) {
      const entry = journalEntry.safeParse(item)
      if (!entry.success)
        throw fault('SNAPSHOT_INVALID', `${subject} at ${sequence}: ${entry.error.issues[0]?.message}`)
      if (entry.data.after >= needed) journal.push(entry.data as JournalEntry)
    }
    spans.push({ from: sequence, lastAfter: journal.at(-1)?.after ?? 0 })
  }
  return { journal, spans }
}

/** The last value of each key, in the order in which the keys were first written. */
async function readState(
  connection: Connection,
  clock: Clock,
  stream: string,
  record: CommitRecord,
  to: number,
): Promise<{ readonly entries: readonly KeyedEntry[]; readonly written: number }> {
  if (record.stateFrom === null) return { entries: [], written: 0 }
  const subject = stateSubject(stream, record.processor, record.partition)
  const parts = await readAppendixRange(connection, clock, { stream, subject, from: record.stateFrom, to })
  const values = new Map<string, unknown>()
  let written = 0
  for (const { sequence, items } of parts)
    for (const item of items) {
      if (!Array.isArray(item) || typeof item[0] !== 'string')
        throw fault('SNAPSHOT_INVALID', `${subject} at ${sequence} holds what is no entry`)
      written += 1
      if (item.length === 1) values.delete(item[0])
      else values.set(item[0], item[1])
    }
  return { entries: [...values].map(([key, value]) => ({ key, value })), written }
}
