import { fault, type MillraceError } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { formatTime, isWritableTime } from '../../event/rfc3339.js'
import type { EngineInput } from '../engine/advance.js'
import type { Rule } from './rule.js'

/** Most that an event's time may be ahead of the moment at which the stream stored it, in ms. */
export const MOST_AHEAD = 300_000

/** What an event is to a rule: an input of its engine, `keyless` when only time passes with it, or nothing at all. */
export type RuleInput =
  | { readonly kind: 'input'; readonly input: EngineInput; readonly keyless: boolean }
  | { readonly kind: 'ahead'; readonly error: MillraceError }

/**
 * Reads a stored event for a rule. Wherever a rule runs, on a stream or in memory, its events go through here: the same
 * events have the same matches. Looks at the event alone, never at a clock.
 *
 * An event without a key matches nothing, but time passes with it as far as it would with a key. One dated more than
 * {@link MOST_AHEAD} after it was stored is not taken (EVENT_TIME_AHEAD): time never goes back, so a single producer
 * with a wrong clock would make every later event of all others late.
 */
export function ruleInput(rule: Rule, event: StoredEvent): RuleInput {
  if (isAhead(event)) return { kind: 'ahead', error: aheadOf(event) }
  const key = rule.keyOf(event)
  if (key !== undefined) return { kind: 'input', input: { kind: 'event', event, key }, keyless: false }
  const time = event.time - (rule.lateness > 0 ? rule.lateness + 1 : 0)
  return { kind: 'input', input: { kind: 'time', time }, keyless: true }
}

/** Whether no rule takes an event, for what it says of its time. */
export function isAhead({ time, storedAt }: Pick<StoredEvent, 'time' | 'storedAt'>): boolean {
  return time - storedAt > MOST_AHEAD
}

/** @param more what the error says beside it */
export function aheadOf({ type, id, time, storedAt }: StoredEvent, more = ''): MillraceError {
  return fault('EVENT_TIME_AHEAD', `${type} ${id} is dated ${text(time)} and was stored at ${text(storedAt)}${more}`)
}

function text(ms: number): string {
  return isWritableTime(ms) ? formatTime(ms) : `${ms} ms`
}
