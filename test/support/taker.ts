// Takers of feeds, which keep what they are given.
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { Feed } from '../../src/broker/feed.ts'
import type { FeedOptions } from '../../src/broker/feed-options.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually } from './broker.ts'
import { atEnd } from './cleanup.ts'
import { numbered, numberOf } from './numbered.ts'

/** Publishes numbered messages and resolves when they are stored. */
export async function publishNumbers(
  connection: Connection,
  stream: StreamDeclaration,
  numbers: readonly number[],
): Promise<void> {
  const publisher = new Publisher(connection, { clock: systemClock })
  await Promise.all(numbers.map((n) => publisher.publish(numbered(stream, n))))
  publisher.close()
}

export interface Taker {
  readonly feed: Feed
  readonly taken: StoredMessage[]
  readonly numbers: number[]
  caughtUp: number
  failure: MillraceError | undefined
}

/** A feed whose taker keeps everything, and releases and acknowledges it unless told otherwise. */
export function take(
  connection: Connection,
  stream: StreamDeclaration,
  options: Partial<FeedOptions> = {},
  done = true,
): Taker {
  const taken: StoredMessage[] = []
  const taker = { taken, numbers: [] as number[], caughtUp: 0, failure: undefined as MillraceError | undefined }
  const feed: Feed = new Feed(connection, {
    stream: stream.name,
    filters: [],
    start: { kind: 'sequence', sequence: 1 },
    clock: systemClock,
    onMessages: (messages) => {
      taken.push(...messages)
      taker.numbers.push(...messages.map(numberOf))
      if (!done) return
      feed.acknowledge(messages)
      feed.release(messages.length)
    },
    onFailure: (error) => (taker.failure = error),
    onCaughtUp: () => (taker.caughtUp += 1),
    ...options,
  })
  atEnd(() => feed.stop())
  return Object.assign(taker, { feed })
}

/** Waits until a taker has so many messages. */
export async function has(taker: Taker, count: number, limitMs?: number): Promise<void> {
  await eventually(`${count} messages`, () => taker.taken.length >= count, limitMs).catch((error: unknown) => {
    throw new Error(`has ${taker.taken.length} of ${count}`, { cause: taker.failure ?? error })
  })
}
