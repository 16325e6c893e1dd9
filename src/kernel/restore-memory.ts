import { journalSubject, stateSubject } from '../broker/system-subject.js'
import { fault } from '../error/millrace-error.js'
import type { AppendixPart } from './appendix.js'
import type { CommitRecord } from './commit-record.js'
import { journalEntry, type JournalEntry } from './decision.js'
import type { JournalSpan } from './journal-spans.js'
import type { KeyedEntry, Memory, Processor } from './processor.js'
import { decodeSnapshot } from './snapshot.js'

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

/** What has to be read of what a unit has stored: nothing else of it counts. */
export interface MemoryPlan {
  /** Chunks of the snapshot that the record names. */
  readonly chunks: number
  /** Lists of one subject of the output stream, from this sequence of it on. */
  readonly journal: AppendixStart | undefined
  readonly state: AppendixStart | undefined
}

export interface AppendixStart {
  readonly subject: string
  readonly from: number
  /** Of the code for which it is read: what another one began to write, and did not come to refer to, is none of it. */
  readonly version: string
}

/** What was found of that. */
export interface StoredParts {
  readonly chunks: readonly Uint8Array[]
  readonly journal: readonly AppendixPart[]
  readonly state: readonly AppendixPart[]
}

/** What to read for a processor to come back from its last commit. */
export function planMemory({ memory, to }: Pick<Processor, 'memory' | 'to'>, record: CommitRecord): MemoryPlan {
  const { processor, partition, snapshot, journalFrom, stateFrom, stateVersion: version } = record
  const [stream, replays] = [to.stream.name, memory === 'snapshot' || memory === 'replay']
  const start = (subject: string, from: number | null) => (from === null ? undefined : { subject, from, version })
  return {
    chunks: memory === 'snapshot' ? (snapshot?.chunks ?? 0) : 0,
    journal: replays ? start(journalSubject(stream, processor, partition), journalFrom) : undefined,
    state: memory === 'keyed' ? start(stateSubject(stream, processor, partition), stateFrom) : undefined,
  }
}

/**
 * What a processor comes back with, from its last commit and what was stored with it.
 * @throws SNAPSHOT_INVALID
 */
export function restoreMemory(
  processor: Pick<Processor, 'memory' | 'to'>,
  record: CommitRecord,
  parts: StoredParts,
): Loaded {
  const next = record.position + 1
  const none = { journal: [], spans: [], state: { written: 0, live: 0 } }
  switch (processor.memory) {
    case 'none':
      return { ...none, memory: { kind: 'fresh' }, readFrom: next }
    case 'snapshot': {
      const state = decodeSnapshot(record, parts.chunks)
      const from = record.snapshot?.position ?? record.origin
      const until = record.stateVersion === record.version ? {} : { until: record.position }
      const memory: Memory = state === undefined ? { kind: 'fresh', ...until } : { kind: 'snapshot', state, ...until }
      return { ...none, ...readJournal(record, parts.journal, from), memory, readFrom: from + 1 }
    }
    case 'replay': {
      const from = record.replayFrom ?? next
      return { ...none, ...readJournal(record, parts.journal, from), memory: replayMemory(record), readFrom: from }
    }
    case 'keyed': {
      const { entries, written } = readState(record, parts.state)
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
function readJournal(
  { processor }: CommitRecord,
  parts: readonly AppendixPart[],
  needed: number,
): Pick<Loaded, 'journal' | 'spans'> {
  const journal: JournalEntry[] = []
  const spans: JournalSpan[] = []
  for (const part of parts) {
    journal.push(...journalEntries(processor, [part]).filter(({ after }) => after >= needed))
    spans.push({ from: part.sequence, lastAfter: journal.at(-1)?.after ?? 0 })
  }
  return { journal, spans }
}

/**
 * The decisions in stored parts of a journal, in order.
 * @param whose for errors
 * @throws SNAPSHOT_INVALID
 */
export function journalEntries(whose: string, parts: readonly AppendixPart[]): JournalEntry[] {
  const entries: JournalEntry[] = []
  for (const { sequence, items } of parts)
    for (const item of items) {
      const entry = journalEntry.safeParse(item)
      if (!entry.success)
        throw fault('SNAPSHOT_INVALID', `journal of ${whose} at ${sequence}: ${entry.error.issues[0]?.message}`)
      entries.push(entry.data as JournalEntry)
    }
  return entries
}

/** The last value of each key, in the order in which the keys were first written. */
function readState(
  { processor }: CommitRecord,
  parts: readonly AppendixPart[],
): { readonly entries: readonly KeyedEntry[]; readonly written: number } {
  const values = new Map<string, unknown>()
  let written = 0
  for (const { sequence, items } of parts)
    for (const item of items) {
      if (!Array.isArray(item) || typeof item[0] !== 'string')
        throw fault('SNAPSHOT_INVALID', `state of ${processor} at ${sequence} holds what is no entry`)
      written += 1
      if (item.length === 1) values.delete(item[0])
      else values.set(item[0], item[1])
    }
  return { entries: [...values].map(([key, value]) => ({ key, value })), written }
}
