import { philox4x32 } from '../../time/philox.js'
import { checkNumber } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { RunningMoments, type Moments } from './moments.js'
import { scoreOfProbability, erfc } from './tail.js'

export interface HalfSpaceTreesOptions {
  /** Numbers in each value, 1 to 100. */
  readonly dimensions: number
  /** Default 12. */
  readonly trees?: number
  /** Cuts from the root to a leaf. Default 6. */
  readonly depth?: number
  /** Values from which the mass of each region is counted, until the next as many replace it. Default 250. */
  readonly window?: number
  /** Chooses the trees; the same for all keys. Default 1. */
  readonly seed?: number
}

/**
 * Streaming half-space trees: regions of a space of several dimensions, cut at random beforehand, of which only the mass is
 * counted. A value in regions of little mass is odd, also if each of its numbers is usual.
 * S. C. Tan, K. M. Ting, T. F. Liu, “Fast anomaly detection for streaming data”, IJCAI 2011. Changed: the range of each
 * dimension is that of the first window, and the score is calibrated by the mean and spread of log mass so far.
 * Scale and shift of each dimension change nothing. State: two counts for each node, 2 bytes each (default 6 kB).
 * @throws DETECTOR_INVALID
 */
export function halfSpaceTrees(options: HalfSpaceTreesOptions): DetectorPlan<readonly number[]> {
  const name = 'half-space-trees'
  const { dimensions, trees = 12, depth = 6, window = 250, seed = 1 } = options
  checkNumber(name, 'dimensions', dimensions, { min: 1, max: 100, whole: true })
  checkNumber(name, 'trees', trees, { min: 1, max: 200, whole: true })
  checkNumber(name, 'depth', depth, { min: 1, max: 12, whole: true })
  checkNumber(name, 'window', window, { min: 16, max: 10_000, whole: true })
  checkNumber(name, 'seed', seed, { min: 0, max: 0xffffffff, whole: true })
  const forest = plant(dimensions, trees, depth, seed)
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: 2 * window,
    scope: 'key',
    dimensions,
    start: (state) => new HalfSpaceTrees(forest, window, state as ForestState | undefined),
  }
}

/** Cuts of all trees, heap by heap: node i has the children 2i + 1 and 2i + 2. */
interface Forest {
  readonly dimensions: number
  readonly trees: number
  readonly depth: number
  /** Nodes of one tree, leaves among them. */
  readonly nodes: number
  readonly cutDimension: Uint8Array
  readonly cutAt: Float64Array
}

function plant(dimensions: number, trees: number, depth: number, seed: number): Forest {
  const nodes = 2 ** (depth + 1) - 1
  const cutDimension = new Uint8Array(trees * nodes)
  const cutAt = new Float64Array(trees * nodes)
  for (let tree = 0; tree < trees; tree++) {
    const draw = (count: number, lane: number): number => philox4x32([count, tree, lane, 0], [seed, 0])[0] / 2 ** 32
    const low: number[] = []
    const high: number[] = []
    for (let d = 0; d < dimensions; d++) {
      // a working range about a random point that holds 0 to 1 whole, as the paper has it
      const middle = draw(d, 0)
      const reach = 2 * Math.max(middle, 1 - middle)
      low.push(middle - reach)
      high.push(middle + reach)
    }
    const cut = (node: number, from: number[], to: number[]): void => {
      if (2 * node + 2 >= nodes) return
      const d = Math.min(dimensions - 1, Math.floor(draw(node, 1) * dimensions))
      const at = ((from[d] as number) + (to[d] as number)) / 2
      cutDimension[tree * nodes + node] = d
      cutAt[tree * nodes + node] = at
      cut(2 * node + 1, from, to.with(d, at))
      cut(2 * node + 2, from.with(d, at), to)
    }
    cut(0, low, high)
  }
  return { dimensions, trees, depth, nodes, cutDimension, cutAt }
}

interface ForestState {
  /** Values of the first window, as long as it is not full. */
  readonly first: readonly (readonly number[])[]
  readonly low: readonly number[]
  readonly high: readonly number[]
  readonly reference: readonly number[]
  readonly latest: readonly number[]
  readonly filled: number
  readonly oddness: Moments
}

const ODDNESS_RATE = 0.005

class HalfSpaceTrees implements Detector<readonly number[]> {
  readonly #forest: Forest
  readonly #window: number
  readonly #oddness: RunningMoments
  #first: number[][]
  #low: number[]
  #high: number[]
  #reference: Uint16Array
  #latest: Uint16Array
  #filled: number

  constructor(forest: Forest, window: number, state?: ForestState) {
    this.#forest = forest
    this.#window = window
    const counts = (from?: readonly number[]): Uint16Array =>
      from === undefined || from.length === 0 ? new Uint16Array(forest.trees * forest.nodes) : Uint16Array.from(from)
    this.#first = (state?.first ?? []).map((value) => [...value])
    this.#low = [...(state?.low ?? [])]
    this.#high = [...(state?.high ?? [])]
    this.#reference = counts(state?.reference)
    this.#latest = counts(state?.latest)
    this.#filled = state?.filled ?? 0
    this.#oddness = new RunningMoments(ODDNESS_RATE, state?.oddness)
  }

  observe(value: readonly number[]): Score | null {
    if (this.#low.length === 0) {
      this.#first.push([...value])
      if (this.#first.length === this.#window) this.#measure()
      return null
    }
    const point = this.#scaled(value)
    const odd = -Math.log((this.#mass(point) + 0.5) / this.#window)
    const { count, mean, sigma } = this.#oddness
    this.#oddness.add(odd)
    this.#count(this.#latest, point)
    this.#filled++
    if (this.#filled === this.#window) this.#turn()
    if (count < 2) return null
    const sigmas = sigma === 0 ? 0 : (odd - mean) / sigma
    // only little mass is odd: one side of the distribution
    const score = sigmas <= 0 ? 0 : scoreOfProbability(erfc(sigmas / Math.SQRT2) / 2)
    return { score, expected: null, lower: null, upper: null, direction: 'none' }
  }

  /** The first window gives the ranges, and is the first reference. */
  #measure(): void {
    for (let d = 0; d < this.#forest.dimensions; d++) {
      const column = this.#first.map((value) => value[d] as number)
      this.#low.push(Math.min(...column))
      this.#high.push(Math.max(...column))
    }
    for (const value of this.#first) this.#count(this.#reference, this.#scaled(value))
    this.#first = []
  }

  #scaled(value: readonly number[]): number[] {
    return value.map((x, d) => {
      const [low, high] = [this.#low[d] as number, this.#high[d] as number]
      if (high > low) return (x - low) / (high - low)
      return x === low ? 0.5 : x < low ? -1 : 2
    })
  }

  #count(counts: Uint16Array, point: readonly number[]): void {
    const { trees, nodes, cutDimension, cutAt } = this.#forest
    for (let root = 0; root < trees * nodes; root += nodes)
      for (let node = 0; node < nodes;) {
        const at = root + node
        counts[at] = (counts[at] as number) + 1
        node = 2 * node + ((point[cutDimension[at] as number] as number) < (cutAt[at] as number) ? 1 : 2)
      }
  }

  /** Mass about the point, as if all regions were of the root’s size: mean over the trees. */
  #mass(point: readonly number[]): number {
    const { trees, nodes, depth, cutDimension, cutAt } = this.#forest
    const few = this.#window * 0.1
    let sum = 0
    for (let tree = 0; tree < trees; tree++) {
      let node = 0
      let level = 0
      for (;;) {
        const at = tree * nodes + node
        const here = this.#reference[at] as number
        if (level === depth || here <= few) {
          sum += here * 2 ** level
          break
        }
        node = 2 * node + ((point[cutDimension[at] as number] as number) < (cutAt[at] as number) ? 1 : 2)
        level++
      }
    }
    return sum / trees
  }

  /** The window is full: it becomes the reference. */
  #turn(): void {
    const spare = this.#reference
    this.#reference = this.#latest
    this.#latest = spare.fill(0)
    this.#filled = 0
  }

  snapshot(): ForestState {
    return {
      first: this.#first.map((value) => [...value]),
      low: [...this.#low],
      high: [...this.#high],
      reference: this.#low.length === 0 ? [] : [...this.#reference],
      latest: this.#low.length === 0 ? [] : [...this.#latest],
      filled: this.#filled,
      oddness: this.#oddness.snapshot(),
    }
  }
}
