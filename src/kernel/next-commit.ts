import type { WireMessage } from '../event/wire.js'
import { FNV_OFFSET, fnv1a } from './hash.js'
import type { CommitRecord } from './commit-record.js'
import { snapshotMessages } from './snapshot.js'
import type { Turn } from './turn.js'

/** One commit to be stored: which turns it completes, what it holds beside its record, and the record. */
export interface Commit {
  readonly turns: readonly Turn[]
  readonly messages: readonly WireMessage[]
  readonly record: CommitRecord
}

export interface CommitInput {
  /** The last stored record. */
  readonly record: CommitRecord
  /** Turns that are not committed, oldest first. */
  readonly turns: readonly Turn[]
  /** How many messages the batch holds beside the record. */
  readonly room: number
  readonly output: string
  readonly state: () => unknown
  /** Default: as they were. */
  readonly notices?: Readonly<Record<string, number>> | undefined
  /** Take a snapshot even if the last one is recent. */
  readonly force: boolean
  /** Whether a replay will compare its outputs with these: not for a processor without memory. Default true. */
  readonly hashed?: boolean
}

/** Turns between snapshots: what a recovery has to replay at most, about a second’s work. */
export const SNAPSHOT_EVERY = 20_000
/** Payload of one batch, in bytes: more would block the event loop and fill the server’s buffers. */
const MOST_BYTES = 8 * 1024 * 1024
/** Turns in one commit, so that acknowledging them does not hold up the event loop for long. */
const MOST_TURNS = 8_192

/** Decides, purely, what the next commit holds: as many whole turns as fit, or the next part of one that never fits. */
export function nextCommit(input: CommitInput): Commit {
  const { record, turns, room } = input
  const messages: WireMessage[] = []
  let { hash, partial } = record
  let taken = 0
  let bytes = 0
  for (const turn of turns) {
    if (turn.outputs.length === 0 && taken < MOST_TURNS) {
      partial = null
      taken += 1
      continue
    }
    const fresh = partial?.sequence === turn.message.sequence ? turn.outputs.slice(partial.outputs) : turn.outputs
    const fits = howManyFit(fresh, room - messages.length, MOST_BYTES - bytes) === fresh.length
    if (taken === MOST_TURNS || !fits) break
    for (const output of fresh) bytes += output.data.length
    messages.push(...fresh)
    if (input.hashed !== false) hash = hashTurn(hash, turn)
    partial = null
    taken += 1
  }
  const next = turns[taken]
  if (taken === 0 && next !== undefined) return part(record, next, room)
  return finish(input, turns.slice(0, taken), messages, hash)
}

/** Continues the hash over the outputs of a turn: what a replay must reproduce. */
export function hashTurn(hash: number, turn: Turn): number {
  let value = hash
  for (const { data } of turn.outputs) value = fnv1a(value, data)
  return value
}

/** How many of the first outputs fit into so many messages and bytes. */
function howManyFit(outputs: readonly WireMessage[], room: number, bytes: number): number {
  let left = bytes
  for (const [at, { data }] of outputs.entries()) {
    left -= data.length
    if (at >= room || left < 0) return at
  }
  return outputs.length
}

/** A turn with more outputs than a batch holds: its next `room` outputs, and how far that got. */
function part(record: CommitRecord, turn: Turn, room: number): Commit {
  const { sequence } = turn.message
  const before = record.partial?.sequence === sequence ? record.partial.outputs : 0
  const rest = turn.outputs.slice(before)
  const messages = rest.slice(0, Math.max(1, howManyFit(rest, room, MOST_BYTES)))
  const outputs = before + messages.length
  return {
    turns: [],
    messages,
    record: { ...record, partial: { sequence, outputs }, outputs: record.outputs + messages.length },
  }
}

function finish(input: CommitInput, turns: readonly Turn[], messages: WireMessage[], hash: number): Commit {
  const { record, output, room } = input
  const last = turns.at(-1)
  const position = last?.message.sequence ?? record.position
  const advanced: CommitRecord = {
    ...record,
    position,
    time: Math.max(record.time, last?.message.storedAt ?? 0),
    partial: null,
    outputs: record.outputs + messages.length,
    hash,
    turns: record.turns + turns.length,
    turnsToReplay: record.turnsToReplay + turns.length,
    notices: { ...record.notices, ...input.notices },
    deadLetters: record.deadLetters + turns.filter(({ deadLetter }) => deadLetter !== undefined).length,
  }
  // a snapshot is of the state after every turn so far, so it belongs to a commit that holds them all
  const due = turns.length === input.turns.length && (input.force || advanced.turnsToReplay >= SNAPSHOT_EVERY)
  const state = due ? input.state() : undefined
  if (state === undefined) return { turns, messages, record: advanced }
  const chunks = snapshotMessages(output, record.processor, record.partition, state)
  if (messages.length + chunks.length > room) return { turns, messages, record: advanced }
  const bytes = chunks.reduce((sum, { data }) => sum + data.length, 0)
  return {
    turns,
    messages: [...messages, ...chunks],
    record: { ...advanced, snapshot: { position, chunks: chunks.length, bytes }, hash: FNV_OFFSET, turnsToReplay: 0 },
  }
}
