import { fault } from '../../error/millrace-error.js'
import type { BoundPolicy } from '../pattern/pattern.js'
import type { CompiledPattern } from './compiled-pattern.js'
import type { Run } from './run.js'

/** A bound on state. */
export type StateBound = 'partialMatchesPerKey' | 'partialMatches' | 'keys'

/** Bounds on state, and what they have dropped. */
export class Limits {
  readonly #most: Readonly<Record<StateBound, number>>
  readonly #policies: Readonly<Record<StateBound, BoundPolicy>>
  /** Partial matches that were dropped, and keys that were with all of theirs. */
  dropped: Record<string, number> = { partialMatches: 0 }

  constructor({ limits, policies }: CompiledPattern) {
    this.#most = limits
    this.#policies = policies
  }

  /** Whether nothing is above its bound. */
  allow(ofKey: number, ofAll: number, keys: number): boolean {
    const most = this.#most
    return ofKey <= most.partialMatchesPerKey && ofAll <= most.partialMatches && keys <= most.keys
  }

  /** How many more that is than the bound allows; 0 or less: none. */
  excess(bound: StateBound, count: number): number {
    return count - this.#most[bound]
  }

  /**
   * What to drop at a bound that is exceeded.
   * @throws BOUND_EXCEEDED when that is a failure
   */
  policyAt(bound: StateBound, key: string): 'drop-oldest' | 'drop-newest' {
    const policy = this.#policies[bound]
    if (policy === 'fail') throw fault('BOUND_EXCEEDED', `${bound} above ${this.#most[bound]}, at key ${key}`)
    return policy
  }

  count(bound: StateBound, partialMatches: number): void {
    this.#add('partialMatches', partialMatches)
    if (bound === 'keys') this.#add('keys', 1)
  }

  #add(name: string, count: number): void {
    this.dropped[name] = (this.dropped[name] ?? 0) + count
  }
}

/** Takes the oldest or the newest out of a list. `gone` is told of each. */
export function dropRuns(
  head: Run,
  excess: number,
  policy: 'drop-oldest' | 'drop-newest',
  gone: (run: Run) => void,
): Run | null {
  const runs: Run[] = []
  for (let run: Run | null = head; run !== null; run = run.next) runs.push(run)
  const kept = Math.max(0, runs.length - excess)
  const dropped = policy === 'drop-oldest' ? runs.slice(0, runs.length - kept) : runs.slice(kept)
  for (const run of dropped) gone(run)
  if (kept === 0) return null
  if (policy === 'drop-oldest') return runs[runs.length - kept] ?? null
  const last = runs[kept - 1]
  if (last !== undefined) last.next = null
  return head
}
