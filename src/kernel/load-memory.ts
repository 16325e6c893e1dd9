import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { commitSubject } from '../broker/system-subject.js'
import { isFault, type MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { AppendixPart } from './appendix.js'
import type { Claim } from './claim.js'
import { decodeCommitRecord, type CommitRecord } from './commit-record.js'
import type { Processor } from './processor.js'
import { readAppendixRange } from './read-appendix.js'
import { planMemory, restoreMemory, type AppendixStart, type Loaded } from './restore-memory.js'
import { readSnapshotChunks } from './snapshot.js'
import { lostClaim } from './store-commit.js'

/**
 * Reads what a processor’s last commit points to.
 * @throws SNAPSHOT_INVALID; PROCESSOR_FENCED, COMMIT_RECORD_GONE somebody has claimed it meanwhile; errors of the broker
 */
export async function loadMemory(
  connection: Connection,
  clock: Clock,
  processor: Processor,
  { record, sequence: to }: Claim,
): Promise<Loaded> {
  const stream = processor.to.stream.name
  const plan = planMemory(processor, record)
  const read = async (start: AppendixStart | undefined): Promise<readonly AppendixPart[]> =>
    start === undefined ? [] : readAppendixRange(connection, clock, { stream, ...start, to })
  try {
    return restoreMemory(processor, record, {
      chunks: plan.chunks === 0 ? [] : await readSnapshotChunks(connection, stream, record),
      journal: await read(plan.journal),
      state: await read(plan.state),
    })
  } catch (error) {
    if (isFault(error, 'SNAPSHOT_INVALID')) await requireClaim(connection, stream, record, to, error)
    throw error
  }
}

/**
 * Whoever has claimed the unit since replaces what its former record points to: that is no damage.
 * @throws PROCESSOR_FENCED, COMMIT_RECORD_GONE
 */
async function requireClaim(
  connection: Connection,
  stream: string,
  record: CommitRecord,
  sequence: number,
  cause: MillraceError,
): Promise<void> {
  const subject = commitSubject(stream, record.processor, record.partition)
  const last = await readLast(connection, stream, subject)
  if (last?.sequence === sequence) return
  throw lostClaim(record, last === undefined ? undefined : decodeCommitRecord(last.data, subject), cause)
}
