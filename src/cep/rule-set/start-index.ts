import type { StoredEvent } from '../../event/event.js'
import type { Begin } from '../engine/executor.js'
import type { Equality } from '../pattern/pattern.js'
import type { Member } from './member.js'

interface Entry {
  readonly member: Member
  readonly begin: Begin
}

/** Entries that ask for one of some values at one path. */
interface ByValue {
  readonly path: readonly string[]
  readonly byValue: Map<unknown, Entry[]>
  /** Each once: an event without such a field is for all of them, because they count what cannot be evaluated. */
  readonly all: Entry[]
}

interface OfType {
  readonly others: Entry[]
  readonly byPath: Map<string, ByValue>
}

/** Which rules an event can begin something for: by its type, by what it must equal, then by the condition itself. */
export class StartIndex {
  readonly #types = new Map<string, OfType>()

  add(member: Member): void {
    for (const begin of member.begins ?? [])
      for (const type of begin.events.length === 0 ? member.work.rule.eventTypes : begin.events) {
        const of = this.#of(type)
        const entry = { member, begin }
        const [equality] = begin.equals
        if (equality === undefined) of.others.push(entry)
        else addTo(of, equality, entry)
      }
  }

  remove(member: Member): void {
    for (const { others, byPath } of this.#types.values()) {
      without(others, member)
      for (const [text, { byValue, all }] of byPath) {
        without(all, member)
        for (const [value, entries] of byValue) if (without(entries, member) === 0) byValue.delete(value)
        if (all.length === 0) byPath.delete(text)
      }
    }
  }

  /** Calls `choose` for each member that the event can begin something for, some more than once. */
  find(event: StoredEvent, key: string, choose: (member: Member) => void): void {
    const of = this.#types.get(event.type)
    if (of === undefined) return
    for (const entry of of.others) if (may(entry, event, key)) choose(entry.member)
    for (const { path, byValue, all } of of.byPath.values()) {
      const value = valueAt(event.data, path)
      const entries = value === undefined ? all : byValue.get(value)
      if (entries === undefined) continue
      for (const entry of entries) if (may(entry, event, key)) choose(entry.member)
    }
  }

  #of(type: string): OfType {
    let of = this.#types.get(type)
    if (of === undefined) this.#types.set(type, (of = { others: [], byPath: new Map() }))
    return of
  }
}

function addTo({ byPath }: OfType, { path, values }: Equality, entry: Entry): void {
  const text = JSON.stringify(path)
  let at = byPath.get(text)
  if (at === undefined) byPath.set(text, (at = { path, byValue: new Map(), all: [] }))
  at.all.push(entry)
  for (const value of new Set(values)) {
    const entries = at.byValue.get(value)
    if (entries === undefined) at.byValue.set(value, [entry])
    else entries.push(entry)
  }
}

/** Takes a member's entries out; returns how many are left. */
function without(entries: Entry[], member: Member): number {
  let kept = 0
  for (const entry of entries) if (entry.member !== member) entries[kept++] = entry
  entries.length = kept
  return kept
}

function may({ begin: { where } }: Entry, event: StoredEvent, key: string): boolean {
  if (where === undefined) return true
  try {
    return where(event, key)
  } catch {
    // The rule itself is to find that out, and counts it.
    return true
  }
}

/** Undefined when it is not there. */
function valueAt(data: unknown, path: readonly string[]): unknown {
  let value = data
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
