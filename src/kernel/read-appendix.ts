import type { Connection } from '../broker/connection.js'
import { Feed } from '../broker/feed.js'
import type { Clock } from '../time/clock.js'
import { AppendixParts, type AppendixPart } from './appendix.js'

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
  const { stream, subject, from, to, version } = range
  if (from > to) return []
  const parts = new AppendixParts(version)
  let feed: Feed | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      feed = new Feed(connection, {
        stream,
        filters: [subject],
        start: { kind: 'sequence', sequence: from },
        clock,
        onMessages: (messages) => {
          try {
            for (const { subject, sequence, headers, data } of messages)
              if (sequence <= to) parts.add({ subject, sequence, header: (name) => headers.get(name), data })
          } catch (error) {
            reject(error as Error)
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
  return parts.all()
}
