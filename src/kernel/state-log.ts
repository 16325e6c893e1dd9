import type { KeyedEntry } from './processor.js'

/** Entries to write again with the next commit. */
export interface Rewrite {
  /** JSON of `[key, value]`. */
  readonly entries: readonly string[]
  /** Where the state log begins, once these are stored; undefined: where it began before. */
  readonly from: number | undefined
}

/** When the state log is written again. */
export interface StateLogPace {
  /** Entries written again in one commit. */
  readonly slice: number
  /** A round begins when so many entries were written since the last one, and more than there are by a factor. */
  readonly least: number
}

/** No more of large entries in one commit, in characters. */
const MOST_CHARACTERS = 1024 * 1024
const USUAL: StateLogPace = { slice: 500, least: 10_000 }
const FACTOR = 2

/** JSON of one change: `[key, value]`, or `[key]` when the key is gone. */
export function encodeChange(key: string, value: unknown): string {
  return value === undefined ? `[${JSON.stringify(key)}]` : `[${JSON.stringify(key)},${JSON.stringify(value)}]`
}

/**
 * Keeps the state log of a keyed processor short. The log holds absolute values, the last of a key counts. Now and then
 * every live entry is written once more, some with each commit; when a round is through, everything before its
 * beginning is needless. A key that changes while a round goes on is in the log by its change, so a round need not see
 * one moment: its slices may be of different ones.
 */
export class StateLog {
  readonly #entries: () => Iterable<KeyedEntry>
  readonly #pace: StateLogPace
  #written: number
  #live: number
  #round: { readonly from: number; readonly iterator: Iterator<KeyedEntry>; live: number } | undefined

  /** @param read how many entries the log had when it was read, and how many of them live */
  constructor(
    entries: () => Iterable<KeyedEntry>,
    read: { readonly written: number; readonly live: number },
    pace: StateLogPace = USUAL,
  ) {
    this.#entries = entries
    this.#pace = pace
    this.#written = read.written
    this.#live = read.live
  }

  /** Entries that a recovery has to read, about. */
  get length(): number {
    return this.#written + this.#live + (this.#round?.live ?? 0)
  }

  /** Counts changes that go into the log. */
  wrote(changes: number): void {
    this.#written += changes
  }

  /** @param expected stream sequence of the last record: what comes now is after it */
  next(expected: number): Rewrite | undefined {
    if (this.#round === undefined) {
      if (this.#written < Math.max(this.#pace.least, FACTOR * this.#live)) return undefined
      this.#round = { from: expected + 1, iterator: this.#entries()[Symbol.iterator](), live: 0 }
      this.#written = 0
    }
    const entries: string[] = []
    for (let size = 0; entries.length < this.#pace.slice && size < MOST_CHARACTERS;) {
      const { done, value } = this.#round.iterator.next()
      if (done === true) {
        const { from, live } = this.#round
        this.#live = live
        this.#round = undefined
        return { entries, from }
      }
      const entry = encodeChange(value.key, value.value)
      entries.push(entry)
      size += entry.length
      this.#round.live += 1
    }
    this.#written += entries.length
    return { entries, from: undefined }
  }
}
