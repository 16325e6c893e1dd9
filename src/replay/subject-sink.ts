import type { Connection } from '../broker/connection.js'
import { encodeHeaders } from '../broker/headers.js'
import { Publisher } from '../broker/publisher.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { asFault } from '../broker/api-error.js'
import type { MillraceError } from '../error/millrace-error.js'
import { decodeMessage } from '../event/decode.js'
import { messageId } from '../event/identity.js'
import { isSubject, publishSubject } from '../event/subject.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import type { Rejected, Sink } from './sink.js'
import type { SubjectTarget } from './subject-target.js'

export interface SubjectSinkOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** The stream that is replayed. */
  readonly stream: string
  readonly target: SubjectTarget
  readonly onRejected?: (rejected: Rejected) => void
}

export interface SubjectSink extends Sink {
  /** How many the target stream had already, by their message id. */
  readonly duplicates: number
}

/** Headers that tell where a replayed message came from; no part of the event. */
export const REPLAY_HEADER = { stream: 'Millrace-Replay-Stream', sequence: 'Millrace-Replay-Sequence' } as const

/**
 * Publishes each event to `<prefix>.<key>.<type>`, as it was, under the same message id: a target stream drops what it
 * was given a moment ago, so that a replay which is run again adds nothing twice within its duplicate window.
 * A batch is taken when the target has stored all of it; where no stream listens, when it has left for the server.
 * @throws what publishing throws: MESSAGE_TOO_LARGE, STREAM_FULL, BROKER_PERMISSION_DENIED and others of the broker
 */
export function subjectSink(options: SubjectSinkOptions): SubjectSink {
  return new PublishingSink(options)
}

class PublishingSink implements SubjectSink {
  readonly #options: SubjectSinkOptions
  readonly #publisher: Publisher | undefined
  #rejected = 0
  #duplicates = 0
  #failure: MillraceError | undefined

  constructor(options: SubjectSinkOptions) {
    const { connection, clock, target } = options
    this.#options = options
    if (target.streams.length > 0) this.#publisher = new Publisher(connection, { clock })
  }

  get rejected(): number {
    return this.#rejected
  }

  get duplicates(): number {
    return this.#duplicates
  }

  async take(messages: readonly StoredMessage[]): Promise<void> {
    for (const message of messages) {
      const copy = this.#copy(message)
      if (copy !== undefined) await this.#publish(copy)
      if (this.#failure !== undefined) throw this.#failure
    }
    if (this.#publisher === undefined) await this.#options.connection.nats.flush()
    else await this.#publisher.flush()
    if (this.#failure !== undefined) throw this.#failure
  }

  end(): void {
    this.#publisher?.close()
  }

  async #publish(message: WireMessage): Promise<void> {
    if (this.#publisher === undefined) {
      const headers = encodeHeaders(message.headers)
      this.#options.connection.nats.publish(message.subject, message.data, { headers })
      return
    }
    await this.#publisher.ready()
    this.#publisher.publish(message).then(
      ({ duplicate }) => {
        if (duplicate) this.#duplicates += 1
      },
      (error: unknown) => (this.#failure ??= asFault(error, `replaying to ${message.subject}`)),
    )
  }

  /** The message for its new place; undefined when it is no event. */
  #copy(message: StoredMessage): WireMessage | undefined {
    const { headers, data, sequence } = message
    const decoded = decodeMessage(headers, data)
    if (decoded.kind === 'rejected') return this.#reject({ sequence, code: decoded.code, detail: decoded.detail })
    const { id, source, key, type } = decoded.envelope
    if (!isSubject(type))
      return this.#reject({ sequence, code: 'SUBJECT_INVALID', detail: `event type ${JSON.stringify(type)}` })
    return {
      subject: publishSubject(this.#options.target.prefix, key, type),
      headers: [
        // what the server or a writer said about the first storing does not hold for this one
        ...[...headers.entries()].filter(([name]) => !/^(?:nats|millrace-replay)-/i.test(name)),
        ['Nats-Msg-Id', messageId(source, id)],
        [REPLAY_HEADER.stream, this.#options.stream],
        [REPLAY_HEADER.sequence, String(sequence)],
      ],
      data,
    }
  }

  #reject(rejected: Rejected): undefined {
    this.#rejected += 1
    this.#options.onRejected?.(rejected)
  }
}
