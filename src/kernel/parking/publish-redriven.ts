import { asFault, outcomeUnknown } from '../../broker/api-error.js'
import { BATCH_LIMIT, publishBatch } from '../../broker/batch.js'
import type { Connection } from '../../broker/connection.js'
import { publishOnce } from '../../broker/publish-once.js'
import type { WireMessage } from '../../event/wire.js'
import type { Clock } from '../../time/clock.js'
import type { ParkedUnit } from './parked-unit.js'

export interface PublishRedrivenOptions {
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  /** How long to try again while nobody knows whether they are stored, in ms. */
  readonly patience: number
}

const AGAIN_MS = 200

/**
 * Stores events of a park in the stream that their processor reads, in order: all or none in one batch, or one after the
 * other where the server takes no batches. Tried again until the outcome is known, for what is stored twice is taken once.
 * @returns the stream sequence of the last one
 * @throws BATCH_REFUSED, MESSAGE_TOO_LARGE, BROKER_PERMISSION_DENIED, STREAM_FULL and others of the broker
 */
export async function publishRedriven(
  connection: Connection,
  { merged }: Pick<ParkedUnit, 'merged'>,
  messages: readonly WireMessage[],
  { clock, signal, patience }: PublishRedrivenOptions,
): Promise<number> {
  const size = merged ? 1 : BATCH_LIMIT
  const since = clock.monotonic()
  let sequence = 0
  for (let at = 0; at < messages.length;) {
    signal?.throwIfAborted()
    const part = messages.slice(at, at + size)
    const [first, second] = part
    try {
      if (first !== undefined && second === undefined) sequence = (await publishOnce(connection, first)).sequence
      else sequence = (await publishBatch(connection, part)).last
      at += part.length
    } catch (error) {
      const known = asFault(error, 'redriving')
      if (!outcomeUnknown(known) || clock.monotonic() - since > patience) throw known
      await clock.sleep(AGAIN_MS, signal)
    }
  }
  return sequence
}
