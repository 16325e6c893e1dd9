import type { Connection } from '../broker/connection.js'
import { Feed } from '../broker/feed.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'

export interface StreamReaderOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly stream: string
  readonly filters: readonly string[]
  /** Sequence behind which it begins. */
  readonly after: number
  readonly signal: AbortSignal
}

/** Reads a stream in order, as fast as who takes. */
export class StreamReader {
  readonly #options: StreamReaderOptions
  readonly #feed: Feed
  readonly #arrived: StoredMessage[] = []
  readonly #onAbort = (): void => this.#wake()
  #failure: MillraceError | undefined
  #wake: () => void = () => undefined

  constructor(options: StreamReaderOptions) {
    const { connection, clock, stream, filters, after, signal } = options
    this.#options = options
    signal.addEventListener('abort', this.#onAbort)
    this.#feed = new Feed(connection, {
      stream,
      filters,
      start: { kind: 'sequence', sequence: after + 1 },
      clock,
      onMessages: (messages) => {
        this.#arrived.push(...messages)
        this.#wake()
      },
      onFailure: (error) => {
        this.#failure = error
        this.#wake()
      },
    })
  }

  /** The next ones, one at least. @returns undefined: it was asked to stop @throws errors of the broker */
  async next(most: number): Promise<readonly StoredMessage[] | undefined> {
    const { connection, signal } = this.#options
    for (;;) {
      if (signal.aborted) return undefined
      if (this.#failure !== undefined) throw this.#failure
      if (connection.state.kind === 'closed') throw fault('BROKER_UNREACHABLE', 'the connection was closed')
      if (this.#arrived.length > 0) return this.#arrived.splice(0, most)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** So many are done with: there is room for as many. */
  release(messages: number): void {
    this.#feed.release(messages)
  }

  stop(): void {
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#feed.stop()
  }
}
