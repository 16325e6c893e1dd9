import type { Connection } from '../broker/connection.js'
import type { Clock } from '../time/clock.js'
import type { Claim } from './claim.js'
import type { Processor } from './processor.js'
import { readAppendixRange } from './read-appendix.js'
import { planMemory, restoreMemory, type AppendixPart, type AppendixStart, type Loaded } from './restore-memory.js'
import { readSnapshotChunks } from './snapshot.js'

/**
 * Reads what a processor’s last commit points to.
 * @throws SNAPSHOT_INVALID, and errors of the broker
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
  return restoreMemory(processor, record, {
    chunks: plan.chunks === 0 ? [] : await readSnapshotChunks(connection, stream, record),
    journal: await read(plan.journal),
    state: await read(plan.state),
  })
}
