import { journalSubject } from '../broker/system-subject.js'
import type { WireMessage } from '../event/wire.js'
import { appendixMessages } from './appendix.js'
import type { CommitRecord } from './commit-record.js'
import { addEntries, withSnapshot } from './commit-state.js'
import { fnv1a } from './hash.js'
import { entriesAfter, journalOf, neededSpans, type JournalSpan } from './journal-spans.js'
import { packer, type Packer, type Packing } from './packer.js'
import { applyChanges, type ParkedChange } from './parking/parked-key.js'
import type { MemoryKind } from './processor.js'
import type { Rewrite } from './state-log.js'
import type { Turn } from './turn.js'

/** One commit to be stored: which turns it completes, what it holds beside its record, and the record. */
export interface Commit {
  readonly turns: readonly Turn[]
  readonly messages: readonly WireMessage[]
  readonly record: CommitRecord
  /** What of the stored journal is still needed after it. */
  readonly spans: readonly JournalSpan[]
}

export interface CommitInput {
  /** The last stored record, and its stream sequence. */
  readonly record: CommitRecord
  readonly expected: number
  /** Turns that are not committed, oldest first. */
  readonly turns: readonly Turn[]
  /** How many messages the batch holds beside the record. */
  readonly room: number
  readonly output: string
  readonly memory: MemoryKind
  /** Of the output stream when outputs are packed; undefined: one message each. */
  readonly packing?: Packing | undefined
  readonly spans: readonly JournalSpan[]
  /** Memory `snapshot`: the state after the last turn. */
  readonly state: () => unknown
  /** Memory `keyed`: where the state begins with which changed code takes over. Default: in this commit. */
  readonly takenFrom?: number | undefined
  /** Memory `keyed`: entries to write again, as of the last turn. */
  readonly rewrite?: (() => Rewrite | undefined) | undefined
  /** Default: as they were. */
  readonly notices?: Readonly<Record<string, number>> | undefined
  /** Whether it matters which of the messages that were begun are done, to find the one that ends the process. */
  readonly careful?: boolean
  /** Take a snapshot even if the last one is recent. */
  readonly force: boolean
}

/** Turns between snapshots: what a recovery has to replay at most, about a second’s work. */
export const SNAPSHOT_EVERY = 20_000
/** Payload of one batch, in bytes: more would block the event loop and fill the server’s buffers. */
const MOST_BYTES = 8 * 1024 * 1024
/** Text of one batch for its journal and its state log, in characters: some thirty messages. */
export const MOST_TEXT = 4 * 1024 * 1024
/** What is beyond that takes the place of outputs, a message for so much. */
const TEXT_PER_MESSAGE = 128 * 1024
/** Turns in one commit, so that acknowledging them does not hold up the event loop for long. */
const MOST_TURNS = 8_192

/**
 * Decides, purely, what the next commit holds: as many whole turns as fit, up to one whose state is known, or the next
 * part of what never fits.
 */
export function nextCommit(input: CommitInput): Commit {
  const { record, turns } = input
  const outputs = packer(input.packing)
  let taken = 0
  let text = 0
  for (let begin = 0; begin < turns.length; begin = taken) {
    const end = segmentEnd(input.memory, turns, begin)
    if (end === undefined) break
    const segment = turns.slice(begin, end)
    for (const { result = 0 } of segment) text += result
    for (const change of segment.at(-1)?.checkpoint?.changes ?? []) text += change.length
    if (taken > 0 && (end > MOST_TURNS || text > MOST_TEXT)) break
    const room = input.room - Math.max(0, Math.ceil((text - MOST_TEXT) / TEXT_PER_MESSAGE))
    if (!addOutputs(outputs, record, segment, room)) break
    taken = end
  }
  const blocked = taken === 0 ? segmentEnd(input.memory, turns, 0) : undefined
  if (blocked !== undefined) return part(input, turns.slice(0, blocked))
  return finish(input, turns.slice(0, taken), outputs)
}

/** Continues the hash over the outputs of a turn: what a replay must reproduce. */
export function hashTurn(hash: number, turn: Turn): number {
  let value = hash
  for (const { data } of turn.outputs) value = fnv1a(value, data)
  return value
}

/** Where the turns from `begin` on may be cut: after each turn, or where the state was looked at. */
function segmentEnd(memory: MemoryKind, turns: readonly Turn[], begin: number): number | undefined {
  if (memory === 'none' || memory === 'snapshot') return begin < turns.length ? begin + 1 : undefined
  for (let at = begin; at < turns.length; at++) if (turns[at]?.checkpoint !== undefined) return at + 1
  return undefined
}

/** Those outputs of a turn that are not stored yet. */
function missing({ partial }: CommitRecord, turn: Turn): readonly WireMessage[] {
  if (partial === null || turn.outputs.length === 0 || turn.sequence > partial.sequence) return turn.outputs
  if (turn.sequence < partial.sequence) return []
  return turn.outputs.slice(Math.max(0, partial.outputs - turn.outputsBefore))
}

/** Adds a segment’s outputs; false, and nothing added, when they do not all fit. */
function addOutputs(to: Packer, record: CommitRecord, segment: readonly Turn[], room: number): boolean {
  const before = to.added
  for (const turn of segment) if (turn.outputs.length > 0) for (const output of missing(record, turn)) to.add(output)
  if (to.added === before || (to.count <= room && to.bytes <= MOST_BYTES)) return true
  to.cut(before)
  return false
}

/** What has more outputs than a batch holds: the next of them, and how far that got. */
function part(input: CommitInput, segment: readonly Turn[]): Commit {
  const { record, room } = input
  const content = packer(input.packing)
  let reached = record.partial ?? { sequence: 0, outputs: 0 }
  fill: for (const turn of segment) {
    const rest = missing(record, turn)
    let at = turn.outputsBefore + turn.outputs.length - rest.length
    for (const output of rest) {
      const full = content.count >= room || content.bytes + output.data.length > MOST_BYTES
      if (content.added > 0 && full) break fill // a smaller one behind it must not overtake it
      content.add(output)
      reached = { sequence: turn.sequence, outputs: (at += 1) }
    }
  }
  return {
    turns: [],
    messages: content.messages(),
    spans: input.spans,
    record: {
      ...record,
      partial: { sequence: reached.sequence, outputs: reached.outputs, journal: journalOf(segment) },
      outputs: record.outputs + content.added,
    },
  }
}

function finish(input: CommitInput, turns: readonly Turn[], outputs: Packer): Commit {
  const { record, memory } = input
  const last = turns.at(-1)
  const advanced = advance(input, turns, outputs.added)
  const checkpoint = last?.checkpoint
  const messages = outputs.messages()
  const all = turns.length === input.turns.length
  const { replay: from, parkedBefore = [] } = checkpoint ?? {}
  const replay = memory === 'replay' ? { replayFrom: from?.sequence ?? null, parkedBefore } : {}
  const needed = memory === 'replay' && checkpoint !== undefined ? (replay.replayFrom ?? Infinity) : undefined
  const spans = addJournal(input, turns, needed, messages)
  if (memory === 'snapshot' && all && (input.force || advanced.turnsToReplay >= SNAPSHOT_EVERY)) {
    const whole = withSnapshot(input, turns, messages, advanced)
    if (whole !== undefined) return whole
  }
  const keyed = memory === 'keyed' ? addEntries(input, turns, all, messages) : {}
  const basis = checkpoint === undefined ? {} : { basis: checkpoint.basis, hash: checkpoint.hash, ...replay }
  const turnsToReplay =
    checkpoint === undefined ? {} : { turnsToReplay: checkpoint.replay?.events ?? 0, stateVersion: record.version }
  return {
    turns,
    messages,
    spans,
    record: { ...advanced, ...basis, ...turnsToReplay, ...keyed, journalFrom: spans[0]?.from ?? null },
  }
}

/** Adds the decisions of these turns. @returns what of the journal a recovery has to read */
function addJournal(
  { output, record, memory, spans, expected }: CommitInput,
  turns: readonly Turn[],
  needed: number | undefined,
  messages: WireMessage[],
): readonly JournalSpan[] {
  const replays = memory === 'snapshot' || memory === 'replay'
  const known = replays ? neededSpans(spans, needed) : []
  const entries = journalOf(turns)
  const last = entries.at(-1)
  if (last === undefined) return known
  const texts = entries.map((entry) => JSON.stringify(entry))
  messages.push(...appendixMessages(journalSubject(output, record.processor, record.partition), texts))
  // whoever replays history later needs every decision; a recovery needs those behind which something lives
  return replays && last.after >= (needed ?? 0) ? [...known, { from: expected + 1, lastAfter: last.after }] : known
}

/** The record after these turns, but for what depends on the kind of memory. */
function advance(
  { record, memory, notices, careful }: CommitInput,
  turns: readonly Turn[],
  added: number,
): CommitRecord {
  let { ordinal, failures, hash, time, ticked, deadLetters } = record
  let [handled, counted] = [0, 0]
  const changes: ParkedChange[] = []
  for (const turn of turns) {
    ordinal = turn.outputsBefore + turn.outputs.length
    failures = turn.failuresBefore + turn.deadLetters.length
    deadLetters += turn.deadLetters.length
    if (turn.message !== undefined) handled += 1
    if (turn.message !== undefined) ticked = null
    else if (turn.decision?.kind === 'tick') ticked = turn.decision.time
    if (turn.message !== undefined && turn.passed !== true) counted += 1
    if (turn.parked !== undefined) changes.push(...turn.parked)
    if (turn.storedAt > time) time = turn.storedAt
    if (memory === 'snapshot') hash = hashTurn(hash, turn)
  }
  return {
    ...record,
    position: turns.at(-1)?.sequence ?? record.position,
    time,
    ticked,
    ordinal,
    failures,
    partial: passed(record, turns) ? null : aheadOf(record, turns),
    outputs: record.outputs + added,
    hash,
    turns: record.turns + handled,
    turnsToReplay: record.turnsToReplay + counted,
    deadLetters,
    parked: applyChanges(record.parked, changes),
    notices: { ...record.notices, ...notices },
    restarts: handled > 0 ? 0 : record.restarts,
    attempting: handled > 0 ? unfinished(record, careful === true ? handled : Infinity, turns) : record.attempting,
  }
}

/** What stays of the messages that were begun, when so many of them are done. */
function unfinished({ attempting }: CommitRecord, handled: number, turns: readonly Turn[]): CommitRecord['attempting'] {
  if (attempting === null || attempting.count <= handled) return null
  return { ...attempting, sequence: (turns.at(-1)?.sequence ?? 0) + 1, count: attempting.count - handled }
}

/** What stays ahead of the position: its decisions that are behind it now are not taken a second time. */
function aheadOf({ partial }: CommitRecord, turns: readonly Turn[]): CommitRecord['partial'] {
  if (partial === null) return null
  return { ...partial, journal: entriesAfter(partial.journal, turns) }
}

/** Whether the outputs that were stored ahead of the position are behind it now. */
function passed({ partial }: CommitRecord, turns: readonly Turn[]): boolean {
  const last = turns.at(-1)
  if (partial === null || last === undefined) return partial === null
  if (last.sequence !== partial.sequence) return last.sequence > partial.sequence
  return last.outputsBefore + last.outputs.length >= partial.outputs
}
