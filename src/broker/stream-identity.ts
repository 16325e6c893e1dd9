import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import { partitioningOf, type Partitioning } from './partitioning.js'

/** What tells a stream from another one of the same name: sequences mean something in one of them only. */
export interface StreamIdentity {
  readonly created: string
  /** Sequence of the last message that it ever stored. */
  readonly last: number
  /** How it spreads its keys now; undefined for a stream that is not one of ours. */
  readonly partitioning?: Partitioning | undefined
}

/** @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker */
export async function readStreamIdentity({ manager }: Connection, stream: string): Promise<StreamIdentity> {
  try {
    const { created, state, config } = await manager.streams.info(stream)
    return { created, last: state.last_seq, partitioning: partitioningOf(config) }
  } catch (error) {
    throw asFault(error, `reading stream ${stream}`)
  }
}

/** @throws STREAM_REPLACED positions in the one stream mean nothing in the other */
export function requireSameStream(stream: string, known: StreamIdentity, found: StreamIdentity): void {
  if (known.created !== found.created)
    throw fault('STREAM_REPLACED', `${stream} was made at ${known.created}, now there is one made at ${found.created}`)
}
