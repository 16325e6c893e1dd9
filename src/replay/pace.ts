import type { StoredMessage } from '../broker/stored-message.js'
import { fault } from '../error/millrace-error.js'
import { decodeMessage } from '../event/decode.js'
import { membersOf } from '../event/packed.js'
import { parseTime } from '../event/rfc3339.js'
import type { Clock } from '../time/clock.js'

/** How fast a replay goes. */
export type Pace =
  /** As fast as the sink takes. */
  | { readonly kind: 'max' }
  /**
   * With the spacing that the messages had when they were stored, or their events when they happened, divided by
   * `factor`: 1 is the original speed, 10 ten times as fast.
   */
  | { readonly kind: 'factor'; readonly factor: number; readonly by: 'stored' | 'event' }

/** What may go now: so many messages, or none before `wait` ms have passed. */
export type Due = { readonly kind: 'now'; readonly count: number } | { readonly kind: 'later'; readonly wait: number }

/** Timers do not wait for less, in ms. */
const LEAST_WAIT = 1
/** Long gaps are slept through in parts, since a timer holds 24 days at most. */
const MOST_WAIT = 3_600_000

/**
 * Says when each message is due, measured from the first one, so that delays of the sink do not add up. A message
 * whose time is before an earlier one’s is due at once.
 */
export class Pacer {
  readonly #factor: number
  readonly #by: 'stored' | 'event'
  readonly #clock: Clock
  #start: { readonly at: number; readonly time: number } | undefined

  /** @throws REPLAY_RANGE_INVALID when the factor is not above 0 */
  constructor({ factor, by }: Extract<Pace, { kind: 'factor' }>, clock: Clock) {
    if (!(factor > 0) || !Number.isFinite(factor)) throw fault('REPLAY_RANGE_INVALID', `speed ${factor} is not above 0`)
    this.#factor = factor
    this.#by = by
    this.#clock = clock
  }

  /** How many of the messages from `from` on are due. */
  due(messages: readonly StoredMessage[], from: number): Due {
    const now = this.#clock.monotonic()
    let at = from
    for (; at < messages.length; at++) {
      const message = messages[at]
      if (message === undefined) break
      const wait = this.#dueAt(message, now) - now
      if (wait < LEAST_WAIT) continue
      if (at === from) return { kind: 'later', wait: Math.min(wait, MOST_WAIT) }
      break
    }
    return { kind: 'now', count: at - from }
  }

  #dueAt(message: StoredMessage, now: number): number {
    const time = this.#by === 'stored' ? message.storedAt : eventTime(message)
    this.#start ??= { at: now, time }
    return this.#start.at + (time - this.#start.time) / this.#factor
  }
}

/** When the event happened; when it was stored, if it does not say. */
function eventTime(message: StoredMessage): number {
  const text = message.headers.get('ce-time')
  const time = text === undefined ? undefined : parseTime(text)
  if (time !== undefined) return time
  const { headers, data } = membersOf(message)?.[0] ?? message // a pack that is taken whole goes with its first event
  const decoded = decodeMessage(headers, data)
  return decoded.kind === 'envelope' ? (decoded.envelope.time ?? message.storedAt) : message.storedAt
}
