import type { StoredEvent } from '../../event/event.js'
import type { Member } from './member.js'
import { canBegin, valueAt, withoutMember, type StartEntry } from './start-entry.js'

/** Entries that ask for a number on one side of a limit, those that the most numbers satisfy first. */
interface Limited {
  readonly path: readonly string[]
  readonly above: boolean
  readonly entries: StartEntry[]
}

/** Entries among which an event finds those whose limits it keeps without looking at the others. */
export class StartEntries {
  readonly #others: StartEntry[] = []
  readonly #limited = new Map<string, Limited>()

  add(entry: StartEntry): void {
    const [threshold] = entry.begin.thresholds
    if (threshold === undefined) {
      this.#others.push(entry)
      return
    }
    const { path, above } = threshold
    const text = JSON.stringify([path, above])
    let limited = this.#limited.get(text)
    if (limited === undefined) this.#limited.set(text, (limited = { path, above, entries: [] }))
    limited.entries.push(entry)
    limited.entries.sort((a, b) => (above ? limitOf(a) - limitOf(b) : limitOf(b) - limitOf(a)))
  }

  /** Returns how many are left. */
  remove(member: Member): number {
    let left = withoutMember(this.#others, member)
    for (const [text, { entries }] of this.#limited) {
      const count = withoutMember(entries, member)
      if (count === 0) this.#limited.delete(text)
      left += count
    }
    return left
  }

  /** Calls `choose` for the member of each entry that the event can begin. */
  find(event: StoredEvent, key: string, choose: (member: Member) => void): void {
    for (const entry of this.#others) if (canBegin(entry, event, key)) choose(entry.member)
    for (const { path, above, entries } of this.#limited.values()) {
      const value = valueAt(event.data, path)
      for (const entry of entries) {
        // what is no number is for all of them: they count what cannot be evaluated
        if (typeof value === 'number' && (above ? value < limitOf(entry) : value > limitOf(entry))) break
        if (canBegin(entry, event, key)) choose(entry.member)
      }
    }
  }
}

function limitOf({ begin }: StartEntry): number {
  return begin.thresholds[0]?.limit ?? 0
}
