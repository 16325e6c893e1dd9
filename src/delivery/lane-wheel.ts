/**
 * Whose turn it is, of several that have shares: smooth weighted round robin. Over a round each one comes as often as its
 * weight says, spread over the round; who has nothing is passed over, and gains nothing by having waited.
 * Source: the algorithm of nginx’s upstream balancer (commit 52327e0627f4, 2012).
 */
export class LaneWheel {
  readonly #weights: readonly number[]
  readonly #current: number[]

  /** @param weights whole numbers from 1 */
  constructor(weights: readonly number[]) {
    this.#weights = weights
    this.#current = weights.map(() => 0)
  }

  /** @param ready whether one has something @returns its place; -1: none has */
  next(ready: (place: number) => boolean): number {
    let best = -1
    let total = 0
    for (let place = 0; place < this.#weights.length; place++) {
      if (!ready(place)) {
        this.#current[place] = 0
        continue
      }
      const weight = this.#weights[place] ?? 1
      total += weight
      const value = (this.#current[place] ?? 0) + weight
      this.#current[place] = value
      if (best < 0 || value > (this.#current[best] ?? 0)) best = place
    }
    if (best >= 0) this.#current[best] = (this.#current[best] ?? 0) - total
    return best
  }
}
