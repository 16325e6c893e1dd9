import { ROLLUP_SUBJECT } from '../../broker/batch.js'
import type { WireMessage } from '../../event/wire.js'

/** A message that a unit has stored for itself. */
export interface Kept extends WireMessage {
  readonly sequence: number
}

const NONE: readonly Kept[] = []

/** What one unit has stored for itself in its output stream: its records, snapshots, journal and state log. */
export class MemoryStore {
  readonly #base: MemoryStore | undefined
  readonly #subjects = new Map<string, Kept[]>()
  #sequence: number

  /** @param base what is there already; it must not change while this one is in use */
  constructor(base?: MemoryStore) {
    this.#base = base
    this.#sequence = base?.sequence ?? 0
  }

  /** Sequence of the last message. */
  get sequence(): number {
    return this.#sequence
  }

  /** Stores a batch: the sequence of its last message. */
  append(batch: readonly WireMessage[]): number {
    for (const message of batch) {
      const kept = { ...message, sequence: ++this.#sequence }
      const others = message.headers.includes(ROLLUP_SUBJECT) ? undefined : this.#subjects.get(message.subject)
      if (others === undefined) this.#subjects.set(message.subject, [kept])
      else others.push(kept)
    }
    return this.#sequence
  }

  /** Counts messages that are kept elsewhere. */
  pass(count: number): void {
    this.#sequence += count
  }

  last(subject: string): Kept | undefined {
    return this.#subjects.get(subject)?.at(-1) ?? this.#base?.last(subject)
  }

  /** Messages of a subject from a sequence on, in order. */
  from(subject: string, sequence: number): readonly Kept[] {
    const own = this.#subjects.get(subject) ?? NONE
    const before = this.#base?.from(subject, sequence) ?? NONE
    if (own.length === 0) return before
    const at = firstFrom(own, sequence)
    const later = at === 0 ? own : own.slice(at)
    return before.length === 0 ? later : [...before, ...later]
  }

  /** One that goes on from here by itself. This one must not change while it is in use. */
  fork(): MemoryStore {
    return new MemoryStore(this)
  }
}

/** Index of the first item at or after a sequence. */
export function firstFrom(items: readonly { readonly sequence: number }[], sequence: number): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((items[middle]?.sequence ?? 0) < sequence) low = middle + 1
    else high = middle
  }
  return low
}
