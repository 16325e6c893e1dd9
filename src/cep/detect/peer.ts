import { checkNumber } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { scoreRobust } from './median-mad.js'
import { firstAtLeast } from './sorted-window.js'

export interface PeerOptions {
  /** A peer’s last value counts for so many milliseconds of event time. Default five minutes. */
  readonly fresh?: number
  /** Fewer other keys than this with a fresh value: no score. Default 5. */
  readonly peers?: number
}

/**
 * Compares the value of a key with the last values of the other keys: one host out of many that is not like the others, also
 * when all of them move together. By median and median distance (see `median-mad`), so that up to half of the peers may be odd.
 * State: two numbers per key, one detector for all keys. Cost: a binary search and a move within a flat array.
 * @throws DETECTOR_INVALID
 */
export function peer(options: PeerOptions = {}): DetectorPlan {
  const name = 'peer'
  const fresh = checkNumber(name, 'fresh', options.fresh ?? 300_000, { min: 1 })
  const peers = checkNumber(name, 'peers', options.peers ?? 5, { min: 3, whole: true })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: 0,
    scope: 'rule',
    start: (state) => new Peer(fresh, peers, state as PeerState | undefined),
    forget: (detector, key) => (detector as Peer).forget(key),
  }
}

/** Keys with their last value and its time, the one longest ago first. */
type PeerState = readonly (readonly [key: string, value: number, time: number])[]

class Peer implements Detector {
  readonly #fresh: number
  readonly #peers: number
  readonly #last: Map<string, readonly [value: number, time: number]>
  readonly #sorted: number[]

  constructor(fresh: number, peers: number, state: PeerState = []) {
    this.#fresh = fresh
    this.#peers = peers
    this.#last = new Map(state.map(([key, value, time]) => [key, [value, time]]))
    this.#sorted = state.map(([, value]) => value).sort((a, b) => a - b)
  }

  observe(value: number, time: number, key: string): Score | null {
    this.forget(key)
    for (const [other, [, heard]] of this.#last) {
      if (heard >= time - this.#fresh) break
      this.forget(other)
    }
    const score = this.#sorted.length < this.#peers ? null : scoreRobust(value, this.#sorted)
    this.#last.set(key, [value, time])
    this.#sorted.splice(firstAtLeast(this.#sorted, value), 0, value)
    return score
  }

  forget(key: string): void {
    const known = this.#last.get(key)
    if (known === undefined) return
    this.#last.delete(key)
    this.#sorted.splice(firstAtLeast(this.#sorted, known[0]), 1)
  }

  snapshot(): PeerState {
    return Array.from(this.#last, ([key, [value, time]]) => [key, value, time])
  }
}
