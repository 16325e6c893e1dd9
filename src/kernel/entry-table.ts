import type { KeyedChange, KeyedEntry } from './processor.js'
import { RenewedMap } from './renewed-map.js'

/** Begins the keys in a state log that are not keys of the user. */
export const RESERVED = '\0'

/** A user’s key as it is in the state log. */
export function outsideKey(key: string): string {
  return key.startsWith(RESERVED) ? `${RESERVED}k${key}` : key
}

/** A key of the state log as the user’s, unless it is none. */
export function insideKey(key: string): string {
  return key.startsWith(RESERVED) ? key.slice(2) : key
}

/** One entry of a table; the table keeps `mark`. */
export interface TableEntry {
  readonly key: string
  mark: number
}

/** Changed since the changes were taken last. */
const DIRTY = 1
/** A value of it was taken once: when it goes, that has to be taken too. */
const TAKEN = 2

/**
 * Entries by key that know which of them changed. Changes are absolute values, O(changed) to take, and every entry can
 * be read slowly while turns go on.
 *
 * An entry without a value is gone once its change was taken; until then it stays, so that its key can come back.
 */
export class EntryTable<Entry extends TableEntry> {
  readonly #entries = new RenewedMap<Entry>()
  readonly #valueOf: (entry: Entry) => unknown
  readonly #outside: (key: string) => string
  #changed: Entry[] = []

  /**
   * @param valueOf plain data of an entry; undefined when there is nothing to keep
   * @param outside what a key is outside of the table, so that several tables share one state log
   */
  constructor(valueOf: (entry: Entry) => unknown, outside: (key: string) => string = outsideKey) {
    this.#valueOf = valueOf
    this.#outside = outside
  }

  /** Entries, those that will be gone with the next changes included. */
  get size(): number {
    return this.#entries.size
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  values(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  /** Adds an entry that is new: it counts as changed. */
  add(entry: Entry): void {
    this.#entries.set(entry.key, entry)
    this.touch(entry)
  }

  /** Adds an entry that came from the state log. */
  load(entry: Entry): void {
    entry.mark = TAKEN
    this.#entries.set(entry.key, entry)
  }

  /** Says that an entry changed, or may have. */
  touch(entry: Entry): void {
    if ((entry.mark & DIRTY) !== 0) return
    entry.mark |= DIRTY
    this.#changed.push(entry)
  }

  /** What changed since the last call. Values may share data with the entries: write them down before the next turn. */
  takeChanges(): KeyedChange[] {
    if (this.#changed.length === 0) return []
    const changes: KeyedChange[] = []
    for (const entry of this.#changed) {
      const value = this.#valueOf(entry)
      if (value === undefined) {
        this.#entries.delete(entry.key)
        if ((entry.mark & TAKEN) !== 0) changes.push({ key: this.#outside(entry.key), value: undefined })
        entry.mark = 0
      } else {
        changes.push({ key: this.#outside(entry.key), value })
        entry.mark = TAKEN
      }
    }
    this.#changed = []
    return changes
  }

  /**
   * Every entry, lazily, in an order that holds while entries come and go. One that changed since changes were taken is
   * left out, for the next changes have it, and one that comes after the first `next()` need not appear.
   */
  *entries(): Generator<KeyedEntry> {
    let left = this.#entries.size
    for (const entry of this.#entries.values()) {
      // what was here at the beginning comes first; without a bound, keys that come and go would never let it end
      if (left-- === 0) return
      // one that has gone meanwhile has no mark at all
      if (entry.mark === TAKEN) yield { key: this.#outside(entry.key), value: this.#valueOf(entry) }
    }
  }
}
