/** As data: means and weights of the centroids, values not merged yet as pairs, smallest, largest. */
export type SavedDigest = readonly [
  means: readonly number[],
  weights: readonly number[],
  newer: readonly number[],
  min: number,
  max: number,
]

/** So many values per centroid are gathered before they are merged. */
const GATHERED = 5

/**
 * Quantiles in bounded memory: the merging t-digest (Dunning and Ertl, "Computing extremely accurate quantiles using
 * t-digests", 2019) with the scale function k1. Values near the ends are kept almost one by one, so that the error of a
 * rank q shrinks like √(q(1 - q)). Up to 5 × compression values it is exact.
 */
export class TDigest {
  readonly #compression: number
  #means: number[] = []
  #weights: number[] = []
  #newer: number[] = []
  #min = Infinity
  #max = -Infinity

  /** @param compression at most about so many centroids; 100 is off by about 0.1 % in rank near the ends, 1 % in the middle */
  constructor(compression: number, saved?: SavedDigest) {
    this.#compression = compression
    if (saved === undefined || saved[0].length + saved[2].length === 0) return
    this.#means = [...saved[0]]
    this.#weights = [...saved[1]]
    this.#newer = [...saved[2]]
    this.#min = saved[3]
    this.#max = saved[4]
  }

  add(value: number): void {
    this.#newer.push(value)
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
    if (this.#newer.length >= GATHERED * this.#compression) this.#gather()
  }

  merge(other: TDigest): void {
    if (other.#means.length === 0) {
      for (const value of other.#newer) this.add(value)
      return
    }
    if (other.#min < this.#min) this.#min = other.#min
    if (other.#max > this.#max) this.#max = other.#max
    const ones = this.#newer.concat(other.#newer)
    const means = this.#means.concat(other.#means, ones)
    const weights = this.#weights.concat(
      other.#weights,
      ones.map(() => 1),
    )
    this.#newer = []
    this.#compress(means, weights)
  }

  /** The value below which a share `q` lies, between values as percentile_cont of SQL; NaN of no values. */
  quantile(q: number): number {
    const { means, weights, count } = this.#view()
    if (count === 0) return NaN
    // a centroid stands in the middle of the ranks of its values; the smallest value has rank 0
    const rank = q * (count - 1)
    let [leftRank, leftMean] = [0, this.#min]
    let before = 0
    for (const [at, mean] of means.entries()) {
      const weight = weights[at] as number
      const middle = before + (weight - 1) / 2
      if (rank <= middle) return between(rank, leftRank, leftMean, middle, mean)
      ;[leftRank, leftMean] = [middle, mean]
      before += weight
    }
    return between(rank, leftRank, leftMean, count - 1, this.#max)
  }

  save(): SavedDigest {
    const isEmpty = this.#min > this.#max
    return [this.#means, this.#weights, this.#newer, isEmpty ? 0 : this.#min, isEmpty ? 0 : this.#max].map((part) =>
      Array.isArray(part) ? [...part] : part,
    ) as unknown as SavedDigest
  }

  /** All values as centroids, without changing anything: looking must not make a difference. */
  #view(): { means: readonly number[]; weights: readonly number[]; count: number } {
    const count = this.#weights.reduce((total, weight) => total + weight, this.#newer.length)
    if (this.#newer.length === 0) return { means: this.#means, weights: this.#weights, count }
    const means = this.#means.concat(this.#newer)
    const weights = this.#weights.concat(this.#newer.map(() => 1))
    const order = orderOf(means)
    return { means: order.map((at) => means[at] as number), weights: order.map((at) => weights[at] as number), count }
  }

  #gather(): void {
    const means = this.#means.concat(this.#newer)
    const weights = this.#weights.concat(this.#newer.map(() => 1))
    this.#newer = []
    this.#compress(means, weights)
  }

  #compress(means: readonly number[], weights: readonly number[]): void {
    const count = weights.reduce((total, weight) => total + weight, 0)
    this.#means = []
    this.#weights = []
    let before = 0
    let limit = 0
    let at = -1
    for (const next of orderOf(means)) {
      const [mean, weight] = [means[next] as number, weights[next] as number]
      const open = this.#weights[at] ?? 0
      if (at >= 0 && before + open + weight <= limit) {
        this.#weights[at] = open + weight
        const old = this.#means[at] as number
        this.#means[at] = old + ((mean - old) * weight) / (open + weight)
        continue
      }
      before += open
      limit = count * this.#shareAfter(before / count)
      at++
      this.#means.push(mean)
      this.#weights.push(weight)
    }
  }

  /** Where a centroid that begins at share `q` must end: one further by k1(q) = δ/2π · asin(2q - 1). */
  #shareAfter(q: number): number {
    const angle = Math.asin(2 * q - 1) + (2 * Math.PI) / this.#compression
    return angle >= Math.PI / 2 ? 1 : (Math.sin(angle) + 1) / 2
  }
}

function orderOf(means: readonly number[]): number[] {
  return Array.from(means, (_, at) => at).sort((a, b) => (means[a] as number) - (means[b] as number))
}

function between(rank: number, fromRank: number, from: number, toRank: number, to: number): number {
  if (toRank <= fromRank) return to
  const share = (rank - fromRank) / (toRank - fromRank)
  return from * (1 - share) + to * share
}
