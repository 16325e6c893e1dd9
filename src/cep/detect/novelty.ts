import type { SeriesScale } from './series-scale.js'

/** Points kept, radius, points that wait: all in the series’ own unit. */
export type NoveltyState = readonly [points: number[][], radius: number, waiting: number[][]]

const FIRST_RADIUS = 1e-3
const RADIUS_GROWTH = 1.5
/** Points that there is room for at first. */
const FIRST_ROOM = 8

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
  readonly #dimensions: number
  /** One point after another, and the same as the scale places them in its present epoch. */
  #points: Float64Array
  #placed: Float64Array
  #count = 0
  #epoch = -1
  #radius: number
  readonly #waiting: number[][]
  /** The point in question, placed. */
  readonly #place: Float64Array

  /**
   * @param dimensions numbers of a point
   * @param gap a point becomes known after so many more: windows that overlap with this one say nothing about it
   */
  constructor(
    capacity: number,
    dimensions: number,
    gap: number,
    scale: SeriesScale,
    state: NoveltyState = [[], 0, []],
  ) {
    this.#capacity = capacity
    this.#gap = gap
    this.#scale = scale
    this.#dimensions = dimensions
    this.#place = new Float64Array(dimensions)
    const room = Math.max(FIRST_ROOM, state[0].length) * dimensions
    this.#points = new Float64Array(room)
    this.#placed = new Float64Array(room)
    for (const point of state[0]) this.#points.set(point, this.#count++ * dimensions)
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
    this.#placeAll()
    if (this.#count === 0) return 0
    this.#placeOne(point)
    return nearest(this.#placed, this.#count, this.#place, 0)
  }

  learn(point: readonly number[]): void {
    this.#placeAll()
    this.#placeOne(point)
    // without a unit all places are one: what comes before it is kept as it is
    const known = this.#scale.epoch > 0 && this.#count > 0
    if (known && nearest(this.#placed, this.#count, this.#place, this.#radius) <= this.#radius) return
    const at = this.#count++ * this.#dimensions
    if (at === this.#points.length) {
      this.#points = larger(this.#points)
      this.#placed = larger(this.#placed)
    }
    this.#points.set(point, at)
    this.#placed.set(this.#place, at)
    while (this.#count > this.#capacity && this.#scale.epoch > 0) this.#merge()
  }

  #merge(): void {
    this.#radius = this.#radius === 0 ? FIRST_RADIUS : this.#radius * RADIUS_GROWTH
    const each = this.#dimensions
    let kept = 0
    for (let i = 0; i < this.#count; i++) {
      const [from, to] = [i * each, (i + 1) * each]
      this.#place.set(this.#placed.subarray(from, to))
      if (kept > 0 && nearest(this.#placed, kept, this.#place, this.#radius) <= this.#radius) continue
      this.#points.copyWithin(kept * each, from, to)
      this.#placed.copyWithin(kept * each, from, to)
      kept++
    }
    this.#count = kept
  }

  #placeAll(): void {
    if (this.#epoch === this.#scale.epoch) return
    this.#epoch = this.#scale.epoch
    for (let i = 0; i < this.#count * this.#dimensions; i++)
      this.#placed[i] = this.#scale.place(this.#points[i] as number)
  }

  #placeOne(point: readonly number[]): void {
    for (let d = 0; d < this.#dimensions; d++) this.#place[d] = this.#scale.place(point[d] as number)
  }

  snapshot(): NoveltyState {
    const each = this.#dimensions
    const points = Array.from({ length: this.#count }, (_, i) =>
      Array.from(this.#points.subarray(i * each, (i + 1) * each)),
    )
    return [points, this.#radius, this.#waiting.map((point) => [...point])]
  }
}

function larger(points: Float64Array): Float64Array {
  const room = new Float64Array(points.length * 2)
  room.set(points)
  return room
}

/**
 * Euclidean distance to the nearest of the first `count` points; a candidate is left as soon as it is farther than the best.
 * @param enough a distance that is no greater than this ends the search
 */
function nearest(points: Float64Array, count: number, point: Float64Array, enough: number): number {
  const each = point.length
  const stop = enough * enough
  let best = Infinity
  for (let from = 0; from < count * each; from += each) {
    let sum = 0
    for (let d = 0; d < each && sum < best; d++) {
      const off = (point[d] as number) - (points[from + d] as number)
      sum += off * off
    }
    if (sum < best) {
      best = sum
      if (best <= stop) break
    }
  }
  return Math.sqrt(best)
}
