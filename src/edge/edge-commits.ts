import type { Connection } from '../broker/connection.js'
import { edgeSubject } from '../broker/system-subject.js'
import { fault } from '../error/millrace-error.js'
import { RelayCommits } from '../outbox/relay-commits.js'
import type { RelayRecord } from '../outbox/relay-place.js'
import type { Clock } from '../time/clock.js'
import type { EdgeProgress } from './edge-run.js'

export interface EdgeCommitsOptions<Place> {
  readonly connection: Connection
  readonly clock: Clock
  /** Stream that has its record, and what it stores. */
  readonly stream: string
  /** Its name beside processors. */
  readonly edge: string
  /** A text that no other run has. */
  readonly run: string
  readonly isPlace: (value: unknown) => value is Place
  readonly progress: EdgeProgress
}

/** Where a sink or source has how far it is: stored with what it stores, and by nobody else meanwhile (see RelayCommits). */
export function edgeCommits<Place>(options: EdgeCommitsOptions<Place>): RelayCommits<Place> {
  const { connection, clock, stream, edge, run, isPlace, progress } = options
  return new RelayCommits<Place>({
    connection,
    clock,
    stream,
    subject: edgeSubject(stream, edge),
    owner: run,
    signal: progress.signal,
    decode: (data, where) => decode(data, where, isPlace),
    fenced: 'EDGE_FENCED',
    onStall: (error) => progress.stalled(error),
  })
}

/** @throws EDGE_RECORD_INVALID */
function decode<Place>(
  data: Uint8Array,
  where: string,
  isPlace: (value: unknown) => value is Place,
): RelayRecord<Place> {
  try {
    const { v, ...record } = JSON.parse(Buffer.from(data).toString()) as RelayRecord & { readonly v: number }
    const { place } = record as { readonly place: unknown }
    if (v === 1 && isPlace(place) && Number.isSafeInteger(record.relayed)) return { ...record, place }
  } catch (cause) {
    throw fault('EDGE_RECORD_INVALID', where, { cause })
  }
  throw fault('EDGE_RECORD_INVALID', where)
}
