import { Feed } from './feed.js'
import type { Connection } from './connection.js'
import type { StoredMessage } from './stored-message.js'
import type { Clock } from '../time/clock.js'

/**
 * Reads every message that is in a stream under a filter, in order, and keeps none of them.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function readEach(
  connection: Connection,
  clock: Clock,
  stream: string,
  filter: string,
  onMessage: (message: StoredMessage) => void,
): Promise<void> {
  let feed: Feed | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      feed = new Feed(connection, {
        stream,
        filters: [filter],
        start: { kind: 'sequence', sequence: 1 },
        clock,
        onMessages: (messages) => {
          for (const message of messages) onMessage(message)
          feed?.release(messages.length)
        },
        onCaughtUp: () => resolve(),
        onFailure: reject,
      })
    })
  } finally {
    feed?.stop()
  }
}
