import type { StoredMessage } from '../broker/stored-message.js'
import { eventLine } from './event-line.js'
import { LineWriter, type WriteText } from './line-writer.js'
import type { Rejected, Sink } from './sink.js'

export interface NdjsonOptions {
  readonly stream: string
  readonly write: WriteText
  /** Told of each message that is no event. */
  readonly onRejected?: (rejected: Rejected) => void
}

/**
 * Writes each event as one line in the CloudEvents JSON format, with the attributes that say where it is stored. What it
 * writes can be published again.
 */
export function ndjsonSink(options: NdjsonOptions): Sink {
  return new NdjsonSink(options)
}

class NdjsonSink implements Sink {
  readonly #options: NdjsonOptions
  readonly #lines: LineWriter
  #rejected = 0

  constructor(options: NdjsonOptions) {
    this.#options = options
    this.#lines = new LineWriter(options.write)
  }

  get rejected(): number {
    return this.#rejected
  }

  async take(messages: readonly StoredMessage[]): Promise<void> {
    const { stream } = this.#options
    for (const { headers, data, sequence, storedAt } of messages) {
      const line = eventLine(headers, data, { stream, sequence, storedAt })
      if (line.kind === 'rejected') this.#reject({ sequence, code: line.code, detail: line.detail })
      else if (this.#lines.add(line.text)) await this.#lines.flush()
    }
    await this.#lines.flush()
  }

  end(): void {
    // every take has written what it took
  }

  #reject(rejected: Rejected): void {
    this.#rejected += 1
    this.#options.onRejected?.(rejected)
  }
}
