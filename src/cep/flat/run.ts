import type { StoredEvent } from '../../event/event.js'
import type { CompiledPattern } from './compiled-pattern.js'
import type { Bound } from '../pattern/pattern.js'
import type { State, Ways } from './state.js'

/** One taken event. Partial matches that share a beginning share these, from the end backwards. */
export interface Taking {
  readonly event: StoredEvent
  readonly before: Taking | null
  /** Index of the stage that took it. */
  readonly step: number
  /** The event's place in the order in which the executor saw events. */
  readonly at: number
  readonly bound: Bound
}

/** A partial match, in the list of its key: oldest start first. The executor owns it and changes it in place. */
export interface Run {
  state: State
  ways: Ways
  /** Where the first event is in the order of events: what is asked most often of what is far away in memory. */
  readonly start: number
  readonly first: Taking
  last: Taking
  next: Run | null
}

/** A match that is certain. */
export interface Done {
  readonly first: Taking
  readonly last: Taking
}

const NOTHING_BOUND: Bound = []

/** The values that conditions read before anything was taken. */
export function unbound(pattern: CompiledPattern): Bound {
  return pattern.aggregates.length === 0 ? NOTHING_BOUND : pattern.aggregates.map((a) => a.initial)
}

/** Appends an event to what was taken and brings the running values up to date. */
export function take(
  pattern: CompiledPattern,
  none: Bound,
  before: Taking | null,
  event: StoredEvent,
  step: number,
  at: number,
): Taking {
  // What was taken before is far away in memory: it is looked at only where it says more than nothing.
  const bound = before === null || none.length === 0 ? none : before.bound
  const fed = pattern.feeds[step] as readonly number[]
  if (fed.length === 0) return { event, before, step, at, bound }
  const next = bound.slice()
  for (let i = 0; i < fed.length; i++) {
    const slot = fed[i] as number
    next[slot] = pattern.aggregates[slot]?.add(bound[slot], event)
  }
  return { event, before, step, at, bound: next }
}
