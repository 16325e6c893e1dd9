import type { StoredEvent } from '../../event/event.js'
import type { Begin } from '../engine/executor.js'
import type { Member } from './member.js'

/** One way in which something of a member can begin. */
export interface StartEntry {
  readonly member: Member
  readonly begin: Begin
}

/** Whether the event can begin it, as far as that can be told without the member. */
export function canBegin({ begin: { where } }: StartEntry, event: StoredEvent, key: string): boolean {
  if (where === undefined) return true
  try {
    return where(event, key)
  } catch {
    // The rule itself is to find that out, and counts it.
    return true
  }
}

/** Takes a member's entries out; returns how many are left. */
export function withoutMember(entries: StartEntry[], member: Member): number {
  let kept = 0
  for (const entry of entries) if (entry.member !== member) entries[kept++] = entry
  entries.length = kept
  return kept
}

/** What is at a path of names in an event's data; undefined when it is not there. */
export function valueAt(data: unknown, path: readonly string[]): unknown {
  let value = data
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
