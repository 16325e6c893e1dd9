import type { SeriesScale } from './series-scale.js'

/** Points kept, radius, points that wait: all in the series’ own unit. */
export type NoveltyState = readonly [points: number[][], radius: number, waiting: number[][]]

const FIRST_RADIUS = 1e-3
const RADIUS_GROWTH = 1.5

/**
 * How far a point is from everything seen before: the distance to the nearest of at most `capacity` points that stand for all.
 * What came once stays known, however rare: a point is kept unless another within the radius stands for it, and when there is no
 * room the radius grows and neighbours become one. M. Charikar, C. Chekuri, T. Feder, R. Motwani, “Incremental clustering and dynamic
 * information retrieval”, STOC 1997 (the doubling algorithm for k-centre).
 */
export class Novelty {
  readonly #capacity: number
  readonly #gap: number
  readonly #scale: SeriesScale
  #points: number[][]
  /** The points as the scale places them in its present epoch. */
  #placed: number[][] = []
  #epoch = -1
  #radius: number
  readonly #waiting: number[][]

  /** @param gap a point becomes known after so many more: windows that overlap with this one say nothing about it */
  constructor(capacity: number, gap: number, scale: SeriesScale, state: NoveltyState = [[], 0, []]) {
    this.#capacity = capacity
    this.#gap = gap
    this.#scale = scale
    this.#points = state[0].map((point) => [...point])
    this.#radius = state[1]
    this.#waiting = state[2].map((point) => [...point])
  }

  /** @returns the distance; 0 as long as nothing is known */
  observe(point: number[]): number {
    if (this.#waiting.length >= this.#gap) this.learn(this.#waiting.shift() as number[])
    this.#waiting.push(point)
    return this.distance(point)
  }

  distance(point: readonly number[]): number {
    this.#place()
    return this.#points.length === 0 ? 0 : nearest(this.#placed, this.#placeOf(point))
  }

  learn(point: number[]): void {
    this.#place()
    const placed = this.#placeOf(point)
    // without a unit all places are one: what comes before it is kept as it is
    const known = this.#scale.epoch > 0 && this.#points.length > 0
    if (known && nearest(this.#placed, placed) <= this.#radius) return
    this.#points.push(point)
    this.#placed.push(placed)
    while (this.#points.length > this.#capacity && this.#scale.epoch > 0) this.#merge()
  }

  #merge(): void {
    this.#radius = this.#radius === 0 ? FIRST_RADIUS : this.#radius * RADIUS_GROWTH
    const points: number[][] = []
    const placed: number[][] = []
    for (const [i, place] of this.#placed.entries()) {
      if (placed.length > 0 && nearest(placed, place) <= this.#radius) continue
      points.push(this.#points[i] as number[])
      placed.push(place)
    }
    this.#points = points
    this.#placed = placed
  }

  #place(): void {
    if (this.#epoch === this.#scale.epoch) return
    this.#epoch = this.#scale.epoch
    this.#placed = this.#points.map((point) => this.#placeOf(point))
  }

  #placeOf(point: readonly number[]): number[] {
    return point.map((value) => this.#scale.place(value))
  }

  snapshot(): NoveltyState {
    return [this.#points.map((point) => [...point]), this.#radius, this.#waiting.map((point) => [...point])]
  }
}

/** Euclidean distance to the nearest; a candidate is left as soon as it is farther than the best. */
function nearest(points: readonly (readonly number[])[], point: readonly number[]): number {
  let best = Infinity
  for (const other of points) {
    let sum = 0
    for (let d = 0; d < point.length && sum < best; d++) {
      const off = (point[d] as number) - (other[d] as number)
      sum += off * off
    }
    if (sum < best) best = sum
  }
  return Math.sqrt(best)
}
