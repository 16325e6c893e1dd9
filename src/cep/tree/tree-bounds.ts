import { fault } from '../../error/millrace-error.js'
import type { BoundPolicies, Bounds, BoundPolicy } from '../pattern/pattern.js'

/** Says when there is too much, and what goes; counts what went. */
export class TreeBounds {
  readonly dropped = { partialMatches: 0, keys: 0 }
  /** Things held by all keys. */
  held = 0
  readonly #limits: Bounds
  readonly #policies: BoundPolicies

  constructor(limits: Bounds, policies: BoundPolicies) {
    this.#limits = limits
    this.#policies = policies
  }

  /** @throws BOUND_EXCEEDED when that is the policy */
  overfull(key: string, held: number): 'no' | 'oldest' | 'newest' {
    const { partialMatchesPerKey: perKey, partialMatches: total } = this.#limits
    if (held > perKey)
      return goes(this.#policies.partialMatchesPerKey, `partialMatchesPerKey: ${perKey}, at key ${JSON.stringify(key)}`)
    if (this.held > total)
      return goes(this.#policies.partialMatches, `partialMatches: ${total}, at key ${JSON.stringify(key)}`)
    return 'no'
  }

  /** @throws BOUND_EXCEEDED when that is the policy */
  overcrowded(key: string, keys: number): 'no' | 'oldest' | 'newest' {
    const { keys: most } = this.#limits
    return keys < most ? 'no' : goes(this.#policies.keys, `keys: ${most}, at key ${JSON.stringify(key)}`)
  }
}

function goes(policy: BoundPolicy = 'drop-oldest', detail: string): 'oldest' | 'newest' {
  if (policy === 'fail') throw fault('BOUND_EXCEEDED', detail)
  return policy === 'drop-oldest' ? 'oldest' : 'newest'
}
