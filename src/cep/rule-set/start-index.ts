import type { StoredEvent } from '../../event/event.js'
import type { Member } from './member.js'
import { StartEntries } from './start-entries.js'
import { valueAt, type StartEntry } from './start-entry.js'

/** Entries that ask for one of some values at one path. */
interface ByValue {
  readonly path: readonly string[]
  readonly byValue: Map<unknown, StartEntries>
  /** Each once: an event without such a field is for all of them, because they count what cannot be evaluated. */
  readonly all: StartEntries
}

interface OfType {
  readonly others: StartEntries
  readonly byPath: Map<string, ByValue>
}

/** Which rules an event can begin something for: by its type, what it must equal, limits, then the condition itself. */
export class StartIndex {
  readonly #types = new Map<string, OfType>()

  add(member: Member): void {
    for (const begin of member.begins ?? [])
      for (const type of begin.events.length === 0 ? member.work.rule.eventTypes : begin.events)
        addTo(this.#of(type), { member, begin })
  }

  remove(member: Member): void {
    for (const { others, byPath } of this.#types.values()) {
      others.remove(member)
      for (const [text, { byValue, all }] of byPath) {
        for (const [value, entries] of byValue) if (entries.remove(member) === 0) byValue.delete(value)
        if (all.remove(member) === 0) byPath.delete(text)
      }
    }
  }

  /** Calls `choose` for each member that the event can begin something for, some more than once. */
  find(event: StoredEvent, key: string, choose: (member: Member) => void): void {
    const of = this.#types.get(event.type)
    if (of === undefined) return
    of.others.find(event, key, choose)
    for (const { path, byValue, all } of of.byPath.values()) {
      const value = valueAt(event.data, path)
      const entries = value === undefined ? all : byValue.get(value)
      entries?.find(event, key, choose)
    }
  }

  #of(type: string): OfType {
    let of = this.#types.get(type)
    if (of === undefined) this.#types.set(type, (of = { others: new StartEntries(), byPath: new Map() }))
    return of
  }
}

function addTo({ others, byPath }: OfType, entry: StartEntry): void {
  const [equality] = entry.begin.equals
  if (equality === undefined) return others.add(entry)
  const { path, values } = equality
  const text = JSON.stringify(path)
  let at = byPath.get(text)
  if (at === undefined) byPath.set(text, (at = { path, byValue: new Map(), all: new StartEntries() }))
  at.all.add(entry)
  for (const value of new Set(values)) {
    let entries = at.byValue.get(value)
    if (entries === undefined) at.byValue.set(value, (entries = new StartEntries()))
    entries.add(entry)
  }
}
