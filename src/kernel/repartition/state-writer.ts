import { BATCH_LIMIT, expectLastSequence, NEVER_EXPIRES, publishBatch, ROLLUP_SUBJECT } from '../../broker/batch.js'
import type { Connection } from '../../broker/connection.js'
import { publishOnce } from '../../broker/publish-once.js'
import { moveSubject } from '../../broker/system-subject.js'
import { fault, isFault } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'

const MOST_BYTES = 4 * 1024 * 1024
const MOST_MESSAGES = 500

/**
 * Writes what units begin with that take over from others. Each batch goes with a message that says who writes, on
 * condition that the last one was ours: of two that move the same processor, one of them perhaps frozen for an hour, the
 * one that came first stores nothing any more.
 */
export class StateWriter {
  readonly #connection: Connection
  readonly #subject: string
  readonly #owner: string
  #expected = 0

  /** From here on whoever wrote before does not. @throws errors of the broker */
  static async open(connection: Connection, stream: string, processor: string, owner: string): Promise<StateWriter> {
    const writer = new StateWriter(connection, moveSubject(stream, processor), owner)
    writer.#expected = (await publishOnce(connection, writer.#message([ROLLUP_SUBJECT]))).sequence
    return writer
  }

  private constructor(connection: Connection, subject: string, owner: string) {
    this.#connection = connection
    this.#subject = subject
    this.#owner = owner
  }

  /**
   * Stores messages, in order. @returns the sequence of the first; undefined when there is none
   * @throws REPARTITION_UNDERWAY somebody else moves the processor by now; errors of the broker
   */
  async write(messages: readonly WireMessage[]): Promise<number | undefined> {
    let first: number | undefined
    for (let at = 0; at < messages.length;) {
      const part: WireMessage[] = []
      for (let bytes = 0; at < messages.length && part.length < MOST_MESSAGES; at++) {
        const message = messages[at] as WireMessage
        bytes += message.data.length
        if (part.length > 0 && bytes > MOST_BYTES) break
        part.push(message)
      }
      const last = await this.#batch(part)
      first ??= last - part.length
    }
    return first
  }

  /** Stores messages all at once, and ends the move with them. At most 999. @throws as write */
  async finish(messages: readonly WireMessage[]): Promise<void> {
    if (messages.length >= BATCH_LIMIT) throw fault('BATCH_REFUSED', `${messages.length} records at once`)
    await this.#batch(messages)
  }

  async #batch(messages: readonly WireMessage[]): Promise<number> {
    try {
      const anchor = this.#message([expectLastSequence(this.#expected), ROLLUP_SUBJECT])
      const { last } = await publishBatch(this.#connection, [...messages, anchor], 30_000)
      this.#expected = last
      return last
    } catch (error) {
      if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error
      throw fault('REPARTITION_UNDERWAY', `${this.#subject}: another command does it`, { cause: error })
    }
  }

  #message(headers: WireMessage['headers']): WireMessage {
    return { subject: this.#subject, headers: [...headers, NEVER_EXPIRES], data: Buffer.from(this.#owner) }
  }
}
