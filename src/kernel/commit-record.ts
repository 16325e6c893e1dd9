import { z } from 'zod'
import { fault } from '../error/millrace-error.js'

const snapshotRef = z.object({
  /** The state is that after the turn of this sequence. */
  position: z.number().int().nonnegative(),
  chunks: z.number().int().positive(),
  bytes: z.number().int().nonnegative(),
})

const commitRecord = z.object({
  processor: z.string(),
  partition: z.string(),
  version: z.string(),
  /** Rises with each claim; a lower one is a zombie’s. */
  generation: z.number().int().positive(),
  /** Who claimed it, for people. */
  owner: z.string(),
  /** When the input stream was made: tells it from another one of the same name. */
  inputCreated: z.string(),
  /** Sequence of the last input message whose turn is committed as a whole; 0 before the first. */
  position: z.number().int().nonnegative(),
  /** Position at which the processor’s state began, empty: 0, or where changed code took over. */
  origin: z.number().int().nonnegative(),
  /** Stored time of that message, in ms: how far the processor is in time. */
  time: z.number(),
  /** A turn with more outputs than a batch holds: how many of its first outputs are stored. */
  partial: z.object({ sequence: z.number().int(), outputs: z.number().int() }).nullable(),
  /** Outputs since the first turn ever, and a hash of those since the snapshot. */
  outputs: z.number().int().nonnegative(),
  hash: z.number().int(),
  turns: z.number().int().nonnegative(),
  /** Turns since the snapshot, or since the origin: how many messages a recovery must meet again. */
  turnsToReplay: z.number().int().nonnegative(),
  deadLetters: z.number().int().nonnegative(),
  /** What the processor passed over without a dead letter, by name. */
  notices: z.record(z.string(), z.number()),
  snapshot: snapshotRef.nullable(),
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
  if (!result.success) throw fault('COMMIT_RECORD_INVALID', `${subject}: ${result.error.issues[0]?.message ?? ''}`)
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
    stored.outputs === tried.outputs &&
    stored.partial?.outputs === tried.partial?.outputs
  )
}
