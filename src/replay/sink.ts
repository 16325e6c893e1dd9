import type { StoredMessage } from '../broker/stored-message.js'

/** Where a replay delivers. A message that the sink cannot take as an event is counted and passed over. */
export interface Sink {
  /** Whether it takes packs whole, as they are stored. Default: each event of a pack comes as a message of its own. */
  readonly whole?: boolean
  /**
   * Takes messages, in order. They are done with, stored or written, when it returns or its promise resolves; no more
   * come before that.
   */
  take(messages: readonly StoredMessage[]): void | Promise<void>
  /** No more comes, for whatever reason: gives back what the sink holds. Called once. */
  end(): void | Promise<void>
  /** What was no event, so far. */
  readonly rejected: number
}

/** A message that is no event, or could not be handled. */
export interface Rejected {
  readonly sequence: number
  readonly code: string
  readonly detail: string
}
