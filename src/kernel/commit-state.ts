import { stateSubject } from '../broker/system-subject.js'
import type { WireMessage } from '../event/wire.js'
import { appendixMessages } from './appendix.js'
import type { CommitRecord } from './commit-record.js'
import { FNV_OFFSET } from './hash.js'
import type { Commit, CommitInput } from './next-commit.js'
import { snapshotMessages } from './snapshot.js'
import type { Turn } from './turn.js'

/** A snapshot is of the state after every turn so far; it makes the journal before it needless. */
export function withSnapshot(
  input: CommitInput,
  turns: readonly Turn[],
  messages: readonly WireMessage[],
  record: CommitRecord,
): Commit | undefined {
  const state = input.state()
  if (state === undefined) return undefined
  const chunks = snapshotMessages(input.output, record.processor, record.partition, state)
  if (messages.length + chunks.length > input.room) return undefined
  const bytes = chunks.reduce((sum, { data }) => sum + data.length, 0)
  const snapshot = { position: record.position, chunks: chunks.length, bytes }
  return {
    turns,
    messages: [...messages, ...chunks],
    spans: [],
    record: {
      ...record,
      snapshot,
      parkedBefore: record.parked,
      stateVersion: record.version,
      hash: FNV_OFFSET,
      turnsToReplay: 0,
      journalFrom: null,
    },
  }
}

/** Adds what changed in a keyed state, and a part of what did not, so that the state log need not be read from its beginning. */
export function addEntries(
  input: CommitInput,
  turns: readonly Turn[],
  all: boolean,
  messages: WireMessage[],
): Pick<CommitRecord, 'stateFrom'> {
  const { record, output, expected } = input
  const changes = turns.flatMap(({ checkpoint }) => checkpoint?.changes ?? [])
  const rewrite = all ? input.rewrite?.() : undefined
  const items = rewrite === undefined ? changes : [...changes, ...rewrite.entries]
  if (items.length > 0)
    messages.push(...appendixMessages(stateSubject(output, record.processor, record.partition), items))
  // of what the former code had written, nothing counts any more: not even keys that its state had and this one has not
  const taken = turns.some(({ takesOver }) => takesOver === true) ? (input.takenFrom ?? expected + 1) : undefined
  return { stateFrom: rewrite?.from ?? taken ?? record.stateFrom ?? (items.length > 0 ? expected + 1 : null) }
}
