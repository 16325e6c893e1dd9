import type { ConsumerInfo } from '@nats-io/jetstream'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/** What a consumer has still to be given, and what it was given and nobody has acknowledged. */
export class ConsumerLag {
  readonly #info: ConsumerInfo

  constructor(info: ConsumerInfo) {
    this.#info = info
  }

  /**
   * Messages that are not done. What is committed does not count, though its acknowledgement may be missing: a processor
   * that stops commits last.
   * @param position sequence up to which everything is committed
   */
  after(position: number): number {
    const { num_pending, num_ack_pending, delivered } = this.#info
    return num_pending + (position < delivered.stream_seq ? num_ack_pending : 0)
  }
}

/**
 * The lag of every consumer of a stream, by its name.
 * @throws STREAM_NOT_FOUND and others of the broker
 */
export async function readLags({ manager }: Connection, stream: string): Promise<ReadonlyMap<string, ConsumerLag>> {
  const lags = new Map<string, ConsumerLag>()
  try {
    for await (const info of manager.consumers.list(stream)) lags.set(info.name, new ConsumerLag(info))
  } catch (error) {
    throw asFault(error, `listing the consumers of ${stream}`)
  }
  return lags
}
