import { delayedSubject, dueSubject } from '../../broker/work-stream.js'
import type { WireMessage } from '../../event/wire.js'

/** Where batches wait for the next look, beside what handlers have put off: no handler has this name. */
export const BATCH_PLACE = 'jobs_batches'

/**
 * Has a batch looked at, at a time: a message schedule in the queue of the jobs, of which each batch has one.
 * @param copy of which look it follows: the same is stored once
 * @param at in ms since the Unix epoch, by the clock of the server
 */
export function batchLook(queue: string, batch: string, copy: string, at: number): WireMessage {
  return {
    subject: delayedSubject(queue, BATCH_PLACE, batch),
    headers: [
      ['Nats-Schedule', `@at ${new Date(at).toISOString()}`],
      ['Nats-Schedule-Target', dueSubject(queue, BATCH_PLACE, batch)],
      ['Nats-Msg-Id', `${BATCH_PLACE} ${batch} ${copy}`],
    ],
    data: Buffer.from(batch),
  }
}

/** undefined: nobody of ours has written it. */
export function readBatchLook(data: Uint8Array): string | undefined {
  const batch = Buffer.from(data).toString('utf8')
  return /^[\w-]{1,64}$/.test(batch) ? batch : undefined
}
