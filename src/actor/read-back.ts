import { readLastUpTo } from '../broker/direct-read.js'
import { nextMessage } from '../broker/next-message.js'
import { fault } from '../error/millrace-error.js'
import { recordSubjects } from './aggregate-subject.js'
import type { AggregateHead } from './aggregate-heads.js'
import { readRecord } from './read-record.js'
import { nameOf, type AggregatePlace } from './read-records.js'
import { fromFound, type AggregateRecord } from './record.js'

/**
 * Reads records from the last one on down to the first, one at a time.
 * @param last the record to begin with, as the stream's leader has it
 * @throws AGGREGATE_HISTORY_GONE, AGGREGATE_VERSION_GAP, AGGREGATE_RECORD_INVALID; errors of the broker
 */
export async function* readRecordsBackwards(
  place: AggregatePlace,
  last: AggregateHead,
): AsyncGenerator<AggregateRecord, void> {
  let { version, sequence } = last
  while (sequence > 0) {
    const record = await recordUpTo(place, sequence, version)
    if (record === undefined) {
      if (version === 0) return // rejections before the first event may be gone, or there were none
      throw fault('AGGREGATE_HISTORY_GONE', `${nameOf(place)}: version 1 to ${version}`)
    }
    yield record
    if (record.frame?.a !== undefined) return // what was before it was archived
    ;[version, sequence] = [record.version - record.events.length, record.sequence - 1]
  }
}

/** The last record up to a sequence, which ends at the version. */
async function recordUpTo(
  place: AggregatePlace,
  sequence: number,
  version: number,
): Promise<AggregateRecord | undefined> {
  const { connection, stream, registry, clock } = place
  const subject = recordSubjects(stream, place.type, place.id)
  const found = await readLastUpTo(connection, stream.name, subject, { sequence }, clock)
  let record = found && readRecord(registry, found, stream.name, nameOf(place))
  // the server that answered may be behind the leader
  while (record === undefined || record.version < version) {
    const next = await nextMessage(connection, stream.name, subject, (record?.sequence ?? 0) + 1)
    if (next === undefined || next.sequence > sequence) break
    record = readRecord(registry, fromFound(next), stream.name, nameOf(place))
  }
  if (record === undefined || record.version === version) return record
  throw fault('AGGREGATE_VERSION_GAP', `${nameOf(place)}: version ${record.version} where ${version} was to be`)
}
