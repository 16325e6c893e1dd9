import { asFault, outcomeUnknown } from '../broker/api-error.js'
import { batchQueueOf } from '../broker/batch-queue.js'
import { expectLastSequence, NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { fault, isFault, type MillraceError } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import { decodeCommitRecord, encodeCommitRecord, sameCommit, type CommitRecord } from './commit-record.js'
import { deadLetterMessage, lettersOf } from './dead-letter.js'
import type { DeadMessage } from './dead-message.js'
import type { Commit } from './next-commit.js'
import { missingPart } from './stored-part.js'
import type { Turn } from './turn.js'

export interface CommitTarget {
  readonly connection: Connection
  readonly clock: Clock
  /** Stream that is read, stream that is written, and the subject of the commit records in it. */
  readonly input: string
  readonly output: string
  readonly subject: string
  /** Root of the output stream. */
  readonly root: string | undefined
  /** Told when storing does not succeed and is tried again: once, and then every half minute. */
  readonly onStall: (error: MillraceError, forMs: number) => void
  /** What has to be done before a position is stored. */
  readonly before?: ((position: number) => Promise<void>) | undefined
}

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5_000
/** When it is first told that storing takes long, and how often then, in ms. */
const STALL_AFTER_MS = 1_000
const STALL_EVERY_MS = 30_000

/**
 * Stores one commit, however often it takes: its dead letters first, so that none is missing when the position has
 * passed, then outputs and record in one batch, on condition that the last record is still the expected one.
 * An outcome that is not known is read back before anything is tried again.
 * @param expected stream sequence of the last record
 * @returns the stream sequence of the new record
 * @throws PROCESSOR_FENCED, COMMIT_RECORD_GONE, and whatever repeating cannot mend
 */
export async function storeCommit(target: CommitTarget, commit: Commit, expected: number): Promise<number> {
  const patience = new Patience(target)
  for (const turn of commit.turns) if (turn.deadLetters.length > 0) await storeDeadLetters(target, turn, patience)
  await prepare(target, commit.record.position)
  const record: WireMessage = {
    subject: target.subject,
    headers: [expectLastSequence(expected), ROLLUP_SUBJECT, NEVER_EXPIRES],
    data: encodeCommitRecord(commit.record),
  }
  let { messages } = commit
  for (;;) {
    try {
      // commits of other units to the same stream may share the batch
      return await batchQueueOf(target.connection, target.output).publish([...messages, record])
    } catch (error) {
      const known = asFault(error, 'committing')
      if (known.code !== 'SEQUENCE_CONFLICT' && !outcomeUnknown(known) && known.code !== 'STREAM_FULL') throw known
      const outcome = await settle(target, { ...commit, messages }, expected, known, patience)
      if (typeof outcome === 'number') return outcome
      messages = outcome
      await patience.wait(known)
    }
  }
}

/** Does what comes before the position; that it takes long is told as that storing does. */
async function prepare({ before, clock, onStall }: CommitTarget, position: number): Promise<void> {
  if (before === undefined) return
  const since = clock.monotonic()
  const told = (): void => {
    const forMs = clock.monotonic() - since
    onStall(fault('COMMIT_WAITS', `position ${position}`), forMs)
    stop = clock.after(STALL_EVERY_MS, told)
  }
  let stop = clock.after(STALL_AFTER_MS, told)
  try {
    await before(position)
  } finally {
    stop()
  }
}

/**
 * Reads the last commit record: ours means stored, another’s that somebody took over, the former one try again.
 * @returns the sequence of the record, or the messages that are still to be stored
 */
async function settle(
  target: CommitTarget,
  commit: Commit,
  expected: number,
  problem: MillraceError,
  patience: Patience,
): Promise<number | Commit['messages']> {
  const { connection, output, subject } = target
  for (;;) {
    // what is asked between two links is lost with the first, and would be waited for in vain
    while (connection.state.kind === 'disconnected') await patience.wait(problem)
    try {
      const last = await readLast(connection, output, subject)
      if (last?.sequence === expected) return await missingPart(target, commit.messages, expected)
      const stored = last === undefined ? undefined : decodeCommitRecord(last.data, subject)
      if (last !== undefined && stored !== undefined && sameCommit(stored, commit.record)) return last.sequence
      throw lostClaim(commit.record, stored, problem)
    } catch (error) {
      const known = asFault(error, 'reading back a commit')
      if (!outcomeUnknown(known) || connection.state.kind === 'closed') throw known
      await patience.wait(known)
    }
  }
}

/** Why a processor may not go on, by the record that is there in place of its own. */
export function lostClaim(own: CommitRecord, found: CommitRecord | undefined, cause?: unknown): MillraceError {
  if (found === undefined) return fault('COMMIT_RECORD_GONE', own.processor, { cause })
  return fault('PROCESSOR_FENCED', `${own.processor} by ${found.owner}, generation ${found.generation}`, { cause })
}

async function storeDeadLetters(target: CommitTarget, turn: Turn, patience: Patience): Promise<void> {
  const { maxPayload } = target.connection.server
  const message = turn.message ?? lost(turn)
  for (const { reason, which } of lettersOf(turn))
    await storeOnce(target, deadLetterMessage(target.input, message, reason, maxPayload, which), patience)
}

/** What failed when time moved on or a step ended has no message of its own: its place in the log stands for it. */
function lost({ sequence, storedAt }: Turn): DeadMessage {
  return {
    subject: '',
    sequence,
    storedAt,
    headers: { get: () => undefined, entries: () => [] },
    data: new Uint8Array(0),
  }
}

async function storeOnce(target: CommitTarget, letter: WireMessage, patience: Patience): Promise<void> {
  const { connection } = target
  for (;;) {
    try {
      await publishOnce(connection, letter)
      return
    } catch (error) {
      if (isFault(error, 'SEQUENCE_CONFLICT')) return // stored before, by us or by another reader of the message
      const known = asFault(error, 'storing a dead letter')
      if (!outcomeUnknown(known) && known.code !== 'STREAM_FULL') throw known
      if (connection.state.kind === 'closed') throw known
      await patience.wait(known)
    }
  }
}

/** Waits longer each time, but no longer than until the link is back, and says now and then that it is waiting. */
class Patience {
  readonly #target: CommitTarget
  readonly #since: number
  #wait = FIRST_RETRY_MS
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(target: CommitTarget) {
    this.#target = target
    this.#since = target.clock.monotonic()
  }

  async wait(problem: MillraceError): Promise<void> {
    const { clock, onStall } = this.#target
    const now = clock.monotonic()
    if (now - this.#since > STALL_AFTER_MS && now - this.#toldAt > STALL_EVERY_MS) {
      this.#toldAt = now
      onStall(problem, now - this.#since)
    }
    const linked = await this.#pass()
    this.#wait = linked ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, this.#wait * 1.5)
  }

  /** Whether it was the link that ended the wait. */
  async #pass(): Promise<boolean> {
    const { clock, connection } = this.#target
    let stop: () => void = () => undefined
    const linked = new Promise<true>((resolve) => {
      stop = connection.onStatus(({ kind }) => (kind === 'connected' || kind === 'closed' ? resolve(true) : undefined))
    })
    const ended = new AbortController()
    const passed = clock.sleep(this.#wait, ended.signal).then(
      () => false,
      () => true,
    )
    const first = await Promise.race([linked, passed])
    ended.abort()
    stop()
    return first
  }
}
