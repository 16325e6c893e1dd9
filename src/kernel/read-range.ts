import type { Connection } from '../broker/connection.js'
import { Feed } from '../broker/feed.js'
import type { StoredMessage } from '../broker/stored-message.js'
import type { Clock } from '../time/clock.js'

/**
 * Shows what a stream has under one filter between two sequences, both included, to `see`.
 * @throws what `see` throws, and errors of the broker
 */
export async function readRange(
  connection: Connection,
  clock: Clock,
  range: { readonly stream: string; readonly filter: string; readonly from: number; readonly to: number },
  see: (message: StoredMessage) => void,
): Promise<void> {
  const { stream, filter, from, to } = range
  if (from > to) return
  let feed: Feed | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      feed = new Feed(connection, {
        stream,
        filters: [filter],
        start: { kind: 'sequence', sequence: from },
        clock,
        onMessages: (messages) => {
          try {
            for (const message of messages) if (message.sequence <= to) see(message)
          } catch (error) {
            return reject(error as Error)
          }
          feed?.release(messages.length)
          if ((messages.at(-1)?.sequence ?? 0) >= to) resolve()
        },
        onCaughtUp: () => resolve(),
        onFailure: reject,
      })
    })
  } finally {
    feed?.stop()
  }
}
