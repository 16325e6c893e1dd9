import type { Run } from './run.js'

/** The partial matches of one key: a list, oldest start first. */
export interface KeyRuns {
  readonly key: string
  head: Run | null
  /** Bits of the conditions that can change any of them; an event of which none holds leaves them all as they are. */
  heed: number
  /** Among those that are remembered when they have nothing under way. */
  remembered: boolean
}

/** Whoever heeds this must be shown every event, also one that satisfies nothing. */
export const EVERYTHING = -1

/** Keys that have nothing under way and are remembered all the same. */
const MOST_IDLE = 128

/** Those of a small state come and go with every other event, and a map that is deleted from is made anew all the time. */
export class Keys {
  readonly #all = new Map<string, KeyRuns>()
  /** Keys that became idle, each once: a new one takes the place of that which is forgotten. */
  readonly #idle: (KeyRuns | undefined)[] = Array.from({ length: MOST_IDLE }, () => undefined)
  #nextIdle = 0
  /** How many have anything under way. */
  size = 0

  get(key: string): KeyRuns | undefined {
    return this.#all.get(key)
  }

  has(key: string): boolean {
    return (this.#all.get(key)?.head ?? null) !== null
  }

  /** A key that is not known yet. */
  add(key: string): KeyRuns {
    const runs: KeyRuns = { key, head: null, heed: 0, remembered: false }
    this.#all.set(key, runs)
    this.#remember(runs)
    return runs
  }

  /** Puts a key's partial matches back; null: none are left. */
  put(runs: KeyRuns, list: Run | null): void {
    const before = runs.head
    runs.head = list
    if (before === null && list !== null) this.size++
    if (list === null) {
      runs.heed = 0
      if (before !== null) this.size--
      if (!runs.remembered) this.#remember(runs)
    }
  }

  /** Keys with anything under way, in no order. */
  *live(): Generator<KeyRuns> {
    for (const runs of this.#all.values()) if (runs.head !== null) yield runs
  }

  #remember(runs: KeyRuns): void {
    const at = this.#nextIdle
    const forgotten = this.#idle[at]
    runs.remembered = true
    this.#idle[at] = runs
    this.#nextIdle = (at + 1) % MOST_IDLE
    if (forgotten === undefined) return
    forgotten.remembered = false
    if (forgotten.head === null) this.#all.delete(forgotten.key)
  }
}
