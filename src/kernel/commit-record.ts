import { z } from 'zod'
import { fault } from '../error/millrace-error.js'
import { journalEntry } from './decision.js'
import { parkedKey } from './parking/parked-key.js'

const count = z.number().int().nonnegative()

const snapshotRef = z.object({
  /** The state is that after the turn of this sequence. */
  position: count,
  chunks: z.number().int().positive(),
  bytes: count,
})

/** Why nobody may claim a unit: the number of partitions of its stream is being changed. */
const moving = z.object({
  to: z.number().int().positive(),
  /** Up to this sequence, everything that is the unit’s was handled; its state can be moved. Null: not yet. */
  drained: count.nullable(),
  /** The unit is no more; its record stays, so that nobody takes it for one that has never run. */
  retired: z.boolean(),
})

const commitRecord = z.object({
  processor: z.string(),
  partition: z.string(),
  /** How many partitions the input had: with another number, keys are elsewhere. */
  partitions: z.number().int().positive(),
  version: z.string(),
  /** Version of the code that wrote the state; differs while changed code is taking over. */
  stateVersion: z.string(),
  /** Rises with each claim; a lower one is a zombie’s. */
  generation: z.number().int().positive(),
  /** Who claimed it, for people. */
  owner: z.string(),
  /** When the input stream was made: tells it from another one of the same name. */
  inputCreated: z.string(),
  /** Sequence of the last input message whose turn is committed as a whole; 0 before the first. */
  position: count,
  /** Position at which the processor’s state began, empty: 0, or where changed code took over. */
  origin: count,
  /** Stored time of that message, in ms: how far the processor is in time. */
  time: z.number(),
  /** Time of the last tick after that message; null: none was taken. In ms. */
  ticked: z.number().nullable().default(null),
  /** Outputs and failures at the position so far, of its message and of the decisions after it: they number the next. */
  ordinal: count,
  failures: count,
  /**
   * More outputs than a batch holds: up to which one those after the position are stored already (so many of this
   * sequence, all of earlier ones), and the decisions that led to them.
   */
  partial: z.object({ sequence: count, outputs: count, journal: z.array(journalEntry) }).nullable(),
  /** Outputs since the first turn ever. */
  outputs: count,
  /** Of what a replay must put out again. */
  hash: z.number().int(),
  turns: count,
  /** How many messages (memory `snapshot`) or events (`replay`) a recovery must meet again. */
  turnsToReplay: count,
  deadLetters: count,
  /** What the processor passed over without a dead letter, by name. */
  notices: z.record(z.string(), z.number()),
  /** Memory `snapshot`. */
  snapshot: snapshotRef.nullable(),
  /** Memory `replay`: the first message that is needed; null when nothing lives. */
  replayFrom: count.nullable(),
  /** Memory `replay` and `keyed`: what the logic must know before the first message that it gets. */
  basis: z.unknown(),
  /** Memory `keyed`: stream sequence from which the state log is read. */
  stateFrom: count.nullable(),
  /** Stream sequence from which the journal is read; null when no entry is needed. */
  journalFrom: count.nullable(),
  /** Keys that are parked, oldest first (docs/decisions/0011). */
  parked: z.array(parkedKey).readonly().default([]),
  /** Memory `snapshot` and `replay`: those that were parked where a replay begins. */
  parkedBefore: z.array(parkedKey).readonly().default([]),
  /** Starts since the position last moved. */
  restarts: count,
  /**
   * When starts without progress made the processor careful: from which sequence on it was about to handle how many
   * messages, and how often.
   */
  attempting: z.object({ sequence: count, count: count.default(1), tries: count }).nullable(),
  /** Set while a repartition has the unit. */
  moving: moving.optional(),
})

/**
 * What a processor has done, stored in one atomic batch with the outputs it speaks of. The last one on the commit
 * subject is the truth; everything else can be derived again.
 */
export type CommitRecord = z.infer<typeof commitRecord>

/** @throws COMMIT_RECORD_INVALID */
export function decodeCommitRecord(data: Uint8Array, subject: string): CommitRecord {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(data).toString('utf8'))
  } catch (error) {
    throw fault('COMMIT_RECORD_INVALID', `${subject} is not JSON`, { cause: error })
  }
  const result = commitRecord.safeParse(value)
  if (!result.success) {
    const [issue] = result.error.issues
    throw fault('COMMIT_RECORD_INVALID', `${subject}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`)
  }
  return result.data
}

export function encodeCommitRecord(record: CommitRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record))
}

/** Whether a stored record is the one we tried to store: decides an outcome that is not known. */
export function sameCommit(stored: CommitRecord, tried: CommitRecord): boolean {
  return (
    stored.generation === tried.generation &&
    stored.owner === tried.owner &&
    stored.position === tried.position &&
    stored.ordinal === tried.ordinal &&
    stored.failures === tried.failures &&
    stored.outputs === tried.outputs &&
    stored.journalFrom === tried.journalFrom &&
    stored.stateFrom === tried.stateFrom &&
    stored.attempting?.tries === tried.attempting?.tries &&
    JSON.stringify(stored.basis) === JSON.stringify(tried.basis) &&
    stored.partial?.outputs === tried.partial?.outputs
  )
}
