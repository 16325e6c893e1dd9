import type { MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { FeedStart } from './position-consumer.js'
import type { StoredMessage } from './stored-message.js'

export interface FeedOptions {
  readonly stream: string
  /** Stored subjects to read, none overlapping another; empty reads all. */
  readonly filters: readonly string[]
  readonly start: FeedStart
  /** Name of a durable consumer; without it the feed uses one that goes away with it. */
  readonly durable?: string
  /**
   * `each`: every message is acknowledged by itself, so that others may be redelivered. `through`: one acknowledgement
   * says that everything up to a message is done; for a taker that is done in log order, a fifth of the cost.
   * Default each.
   */
  readonly acks?: 'each' | 'through'
  /** Most messages handed over and not released. Default 4,096. */
  readonly credit?: number
  readonly clock: Clock
  readonly onMessages: (messages: readonly StoredMessage[]) => void
  /** The feed cannot go on (the stream is gone, access denied). Called once, last. */
  readonly onFailure: (error: MillraceError) => void
  /**
   * Asked before the feed takes its consumer back after messages went elsewhere or the link broke; what it throws ends
   * the feed. A former owner must find out here that it is one, or two owners would take from each other for ever.
   */
  readonly mayGoOn?: () => Promise<void>
  /** Nothing is waiting in the stream now. Called once after opening and each time the feed has caught up. */
  readonly onCaughtUp?: () => void
}
