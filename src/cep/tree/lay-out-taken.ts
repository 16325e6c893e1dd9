import type { StoredEvent } from '../../event/event.js'
import type { Found } from '../engine/match.js'
import { takenSince, type Taken } from './taken.js'

/**
 * Lays out what was taken by tag. An event that two filters of one tag took is listed twice under it, and once among
 * all events. `origin` is first and last of what took no event.
 */
export function layOutTaken(key: string, taken: Taken | null, origin: StoredEvent, time: number): Found {
  const all = takenSince(taken, null).sort((a, b) => a.at - b.at)
  const events: StoredEvent[] = []
  const stages: Record<string, StoredEvent[]> = {}
  let before = -1
  for (const { event, tag, at } of all) {
    if (at !== before) events.push(event)
    before = at
    if (tag === null) continue
    const list = stages[tag]
    if (list === undefined) stages[tag] = [event]
    else list.push(event)
  }
  return { key, stages, events, first: events[0] ?? origin, last: events.at(-1) ?? origin, time }
}
