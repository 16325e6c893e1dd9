import type { Connection } from '../../broker/connection.js'
import { Feed } from '../../broker/feed.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { parkSubject } from '../../broker/system-subject.js'
import type { Clock } from '../../time/clock.js'
import { parkToken, readParked, type ParkedEvent } from './park-message.js'
import type { ParkedUnit } from './parked-unit.js'

/** A message of the park and what it says of itself. */
export interface ParkedMessage {
  readonly parked: ParkedEvent
  readonly message: StoredMessage
}

/** Messages of one park, in order. */
export interface ParkPart {
  readonly messages: readonly ParkedMessage[]
  /** Where the next part begins, a sequence of the output stream. */
  readonly next: number
  /** Whether there was nothing more. */
  readonly end: boolean
}

/** Payload that one part holds at most, in bytes, unless one message is larger. */
const MOST_BYTES = 4 * 1024 * 1024

/**
 * Reads a part of what is parked of a key.
 * @param from sequence of the output stream
 * @param most messages, from 1
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function readPark(
  connection: Connection,
  clock: Clock,
  { processor, partition, output }: ParkedUnit,
  key: string,
  { from, most }: { readonly from: number; readonly most: number },
): Promise<ParkPart> {
  const messages: ParkedMessage[] = []
  let [next, bytes, feed] = [from, 0, undefined as Feed | undefined]
  const take = (message: StoredMessage): boolean => {
    bytes += message.data.length
    if (messages.length >= most || (messages.length > 0 && bytes > MOST_BYTES)) return false
    const parked = readParked(message.headers)
    // two keys never share a subject, but what others wrote there is none of ours
    if (parked?.key === key) messages.push({ parked, message })
    next = message.sequence + 1
    return true
  }
  try {
    const end = await new Promise<boolean>((resolve, reject) => {
      feed = new Feed(connection, {
        stream: output,
        filters: [parkSubject(output, processor, partition, parkToken(key))],
        start: { kind: 'sequence', sequence: from },
        credit: most + 1,
        clock,
        onMessages: (found) => {
          for (const message of found) if (!take(message)) return resolve(false)
          feed?.release(found.length)
        },
        onCaughtUp: () => resolve(true),
        onFailure: reject,
      })
    })
    return { messages, next, end }
  } finally {
    feed?.stop()
  }
}
