import type { StoredEvent } from '../../event/event.js'
import type { Found } from '../engine/match.js'
import type { CompiledPattern } from './compiled-pattern.js'
import type { Taking } from './run.js'

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
