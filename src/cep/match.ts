import type { StoredEvent } from '../event/event.js'
import type { CompiledPattern } from './compile-pattern.js'
import type { Taking } from './run.js'

/** Events of a match or of a partial match that ran out of time. */
export interface Found {
  readonly key: string
  /** For each stage that took any, its events in order. */
  readonly stages: Readonly<Record<string, readonly StoredEvent[]>>
  /** All events in order. */
  readonly events: readonly StoredEvent[]
  readonly first: StoredEvent
  readonly last: StoredEvent
  /**
   * When it became certain, in event time: the time of the last event, of the event after it when the pattern ends in
   * a strict `not`, or the end of the window when it ends in a relaxed one. For a timeout: the end of the window.
   */
  readonly time: number
}

export interface Match extends Found {
  readonly kind: 'match'
}

export interface Timeout extends Found {
  readonly kind: 'timeout'
  /** In how many ways it could have gone on. Flink reports it that many times, Millrace once. */
  readonly ways: number
}

/** Follows the chain of taken events back and lays them out by stage. */
export function layOutFound(pattern: CompiledPattern, key: string, last: Taking, time: number): Found {
  const events: StoredEvent[] = []
  const steps: number[] = []
  for (let t: Taking | null = last; t !== null; t = t.before) {
    events.push(t.event)
    steps.push(t.step)
  }
  events.reverse()
  steps.reverse()
  const stages: Record<string, StoredEvent[]> = {}
  for (const [at, event] of events.entries()) {
    const name = pattern.steps[steps[at] as number]?.stage.name ?? ''
    const list = stages[name]
    if (list === undefined) stages[name] = [event]
    else list.push(event)
  }
  return { key, stages, events, first: events[0] ?? last.event, last: last.event, time }
}
