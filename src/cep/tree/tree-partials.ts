import type { Partial } from '../engine/partial.js'
import type { Live } from './live.js'
import { takenSince } from './taken.js'

/** What is under way in a part, with what was taken before it; nothing of what has not begun. */
export function partialsOf(key: string, part: Live): Partial[] {
  const before = takenSince(part.begin, null)
  return part.glimpses().flatMap(({ taken, waitsFor, until }) => {
    const all = [...before, ...taken].map(({ tag, event }) => ({ stage: tag ?? event.type, event }))
    return all.length === 0 ? [] : [{ key, taken: all, waitsFor, until: until === Infinity ? null : until }]
  })
}
