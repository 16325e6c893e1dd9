import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { forgetMerged } from '../broker/forget-merged.js'
import { readLast } from '../broker/last-message.js'
import { isMerge } from '../broker/merge-stream.js'
import { commitSubject } from '../broker/system-subject.js'
import { isFault } from '../error/millrace-error.js'
import { storedFilter } from '../event/subject.js'
import { decodeCommitRecord } from '../kernel/commit-record.js'
import { neededFrom } from '../kernel/needed-from.js'
import { partitionsOf, processorId, WHOLE, type Processor } from '../kernel/processor.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'

/** How often what is passed is forgotten, in ms. */
const EVERY_MS = 60_000

export interface ForgettingOptions {
  readonly connection: Connection
  /** Every processor of the deployment, whichever this process runs. */
  readonly processors: readonly Processor[]
  readonly clock: Clock
  readonly log: Log
}

/**
 * Lets the streams in which Millrace keeps copies forget those that nobody needs: of inputs that are merged, and of
 * events that were carried over to another stream. Nothing depends on it but the size of the streams, so what goes wrong
 * is logged and tried again; several processes may do it at a time.
 * @returns ends it
 */
export function keepForgetting(options: ForgettingOptions): () => void {
  const { clock, log, connection } = options
  const processors = options.processors.filter((processor) => keepsCopies(processor))
  if (processors.length === 0) return () => undefined
  let busy = false
  return clock.every(EVERY_MS, () => {
    if (busy || connection.state.kind !== 'connected') return
    busy = true
    void forgetPassed(connection, processors)
      .catch((error: unknown) => {
        const { code, detail, advice, message } = asFault(error, 'forgetting what is passed')
        log.error({ code, detail, advice }, message)
      })
      .finally(() => (busy = false))
  })
}

/**
 * Does it once.
 * @returns how many messages were removed
 * @throws STREAM_REPLACED an input of a merge was deleted and made again; COMMIT_RECORD_INVALID, errors of the broker
 */
export async function forgetPassed(connection: Connection, processors: readonly Processor[]): Promise<number> {
  let removed = 0
  for (const processor of processors) {
    const { stream } = processor.from
    if (processor.kind === 'outbox') removed += await forgetCarried(connection, processor)
    else if (isMerge(stream)) {
      const readers = partitionsOf(processor).map(async (unit) => ({
        partition: unit === WHOLE ? undefined : Number(unit),
        needed: await neededBy(connection, processor, unit),
      }))
      removed += await forgetMerged(connection, stream, await Promise.all(readers))
    }
  }
  return removed
}

function keepsCopies({ kind, from }: Processor): boolean {
  return kind === 'outbox' || isMerge(from.stream)
}

/** What was carried over is in the other stream: each unit has its own subjects, and is as far as it is. */
async function forgetCarried(connection: Connection, processor: Processor): Promise<number> {
  const { name, root } = processor.from.stream
  let removed = 0
  for (const unit of partitionsOf(processor)) {
    const needed = await neededBy(connection, processor, unit)
    if (needed <= 1) continue // without a sequence above 1 the server would take the purge for one of everything
    const filter = storedFilter(root, '>', Number(unit))
    removed += (await connection.manager.streams.purge(name, { filter, seq: needed })).purged
  }
  return removed
}

/** 1 for a unit that has never run, and where its record cannot be read for want of the stream. */
async function neededBy(connection: Connection, processor: Processor, unit: string): Promise<number> {
  const { name } = processor.to.stream
  const subject = commitSubject(name, processorId(processor), unit)
  try {
    const last = await readLast(connection, name, subject)
    return last === undefined ? 1 : neededFrom(processor.memory, decodeCommitRecord(last.data, subject))
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return 1
    throw error
  }
}
