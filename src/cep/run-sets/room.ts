import type { BoundPolicies, Bounds } from '../pattern/pattern.js'
import type { KeySets } from './key-sets.js'

export type Exceeded =
  { readonly kind: 'key'; readonly sets: KeySets } | { readonly kind: 'all' } | { readonly kind: 'keys' }

/** How much may be held. Partial matches are many to one event here: what counts against their bounds is events held. */
export class Room {
  held = 0
  dropped = { partialMatches: 0, keys: 0 }
  readonly #limits: Bounds
  readonly #policies: BoundPolicies

  constructor(limits: Bounds, policies: BoundPolicies) {
    this.#limits = limits
    this.#policies = policies
  }

  /** Whether another event may be held: not when a bound is reached and what is newest is dropped. */
  admits(sets: KeySets, keys: number, isNew: boolean): boolean {
    const { keys: atKeys, partialMatchesPerKey, partialMatches } = this.#policies
    if (isNew && atKeys === 'drop-newest' && keys >= this.#limits.keys) {
      this.dropped.keys++
      return false
    }
    const full =
      (partialMatchesPerKey === 'drop-newest' && sets.size >= this.#limits.partialMatchesPerKey) ||
      (partialMatches === 'drop-newest' && this.held >= this.#limits.partialMatches)
    if (full) this.dropped.partialMatches++
    return !full
  }

  /** What holds too much by now. */
  exceeded(sets: KeySets, keys: number): Exceeded | null {
    if (sets.size > this.#limits.partialMatchesPerKey) return { kind: 'key', sets }
    if (this.held > this.#limits.partialMatches) return { kind: 'all' }
    return keys > this.#limits.keys ? { kind: 'keys' } : null
  }
}
