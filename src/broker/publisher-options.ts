import type { Clock } from '../time/clock.js'

/** How a publisher paces itself and how long it goes on trying. */
export interface PublisherOptions {
  readonly clock: Clock
  /** Most messages sent and without a receipt. Default 2,000. */
  readonly window?: number
  /** Most payload bytes sent and without a receipt. Default 16 MiB. */
  readonly windowBytes?: number
  /**
   * How long one message may stay without a receipt before publish() rejects, in ms; below the stream’s duplicate
   * window. Default 60,000.
   */
  readonly patience?: number
  /** How long to wait for a receipt before sending again, in ms. Default 5,000. */
  readonly ackTimeout?: number
}
