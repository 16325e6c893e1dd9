import type { Connection } from '../broker/connection.js'
import type { Clock } from '../time/clock.js'
import { AppendixParts, type AppendixPart } from './appendix.js'
import { readRange } from './read-range.js'

export interface AppendixRange {
  readonly stream: string
  readonly subject: string
  /** Stream sequences, both included. */
  readonly from: number
  readonly to: number
  /** Of the code that wrote the record which points here; see AppendixParts. */
  readonly version?: string | undefined
}

/**
 * Reads what was written to one subject of a stream between two sequences, in order.
 * @throws SNAPSHOT_INVALID, and errors of the broker
 */
export async function readAppendixRange(
  connection: Connection,
  clock: Clock,
  range: AppendixRange,
): Promise<readonly AppendixPart[]> {
  const { stream, subject: filter, from, to, version } = range
  const parts = new AppendixParts(version)
  await readRange(connection, clock, { stream, filter, from, to }, ({ subject, sequence, headers, data }) =>
    parts.add({ subject, sequence, header: (name) => headers.get(name), data }),
  )
  return parts.all()
}
