import type { MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { Connection } from './connection.js'
import { Feed } from './feed.js'
import type { StoredMessage } from './stored-message.js'

export interface MessagesOptions {
  readonly stream: string
  /** Stored subjects. */
  readonly filter: string
  /** The first sequence. */
  readonly from: number
  readonly clock: Clock
  /** Ends it, without an error. */
  readonly signal?: AbortSignal | undefined
  /** Whether it ends when nothing is waiting in the stream. Default false. */
  readonly untilCaughtUp?: boolean
}

/** Messages that wait for who reads them, at most. */
const CREDIT = 1_024

/**
 * The messages of a stream in log order, as a Feed hands them over, for who takes them one by one.
 * @throws what ends a Feed: STREAM_NOT_FOUND, STREAM_REPLACED, BROKER_PERMISSION_DENIED
 */
export async function* messagesFrom(
  connection: Connection,
  { stream, filter, from, clock, signal, untilCaughtUp = false }: MessagesOptions,
): AsyncGenerator<StoredMessage, void> {
  let waiting: StoredMessage[] = []
  let failure: MillraceError | undefined
  let caughtUp = false
  let wake: () => void = () => undefined
  const feed = new Feed(connection, {
    stream,
    filters: [filter],
    start: { kind: 'sequence', sequence: from },
    clock,
    credit: CREDIT,
    onMessages: (messages) => {
      caughtUp = false
      waiting = waiting.length === 0 ? [...messages] : waiting.concat(messages)
      wake()
    },
    onCaughtUp: () => {
      caughtUp = true
      wake()
    },
    onFailure: (error) => {
      failure = error
      wake()
    },
  })
  const onAbort = (): void => wake()
  const isEnded = (): boolean => signal?.aborted === true
  signal?.addEventListener('abort', onAbort)
  try {
    while (!isEnded()) {
      const taken = waiting
      waiting = []
      for (const message of taken) {
        yield message
        if (isEnded()) return
      }
      feed.release(taken.length)
      if (waiting.length > 0) continue
      if (failure !== undefined) throw failure
      if (isEnded() || (caughtUp && untilCaughtUp)) return
      await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    feed.stop()
  }
}
