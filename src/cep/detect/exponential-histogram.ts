/** A part of a window: how many values, their mean, their sum of squared distances from it, the least and the greatest. */
export interface Part {
  readonly count: number
  readonly mean: number
  readonly squares: number
  readonly min: number
  readonly max: number
}

/** Rows of parts, newest row first, newest part of a row first. */
export type HistogramState = readonly (readonly (readonly number[])[])[]

const PARTS_PER_ROW = 5

/**
 * A window of any length in O(log n) parts of 1, 2, 4, … values: when a row is full its two oldest parts become one of the next row.
 * M. Datar, A. Gionis, P. Indyk, R. Motwani, “Maintaining stream statistics over sliding windows”, SIAM J. Computing 31 (2002).
 */
export class ExponentialHistogram {
  readonly #rows: Part[][]

  constructor(state: HistogramState = []) {
    this.#rows = state.map((row) => row.map((part) => partOf(part)))
  }

  get count(): number {
    return this.#rows.reduce((sum, row, level) => sum + row.length * 2 ** level, 0)
  }

  /** Parts that are kept now. */
  get parts(): number {
    return this.#rows.reduce((sum, row) => sum + row.length, 0)
  }

  add(value: number): void {
    let part: Part = { count: 1, mean: value, squares: 0, min: value, max: value }
    for (let level = 0; ; level++) {
      const row = (this.#rows[level] ??= [])
      row.unshift(part)
      if (row.length <= PARTS_PER_ROW) return
      const oldest = row.pop() as Part
      part = joined(row.pop() as Part, oldest)
    }
  }

  dropOldest(): void {
    const row = this.#rows.at(-1)
    row?.pop()
    if (row?.length === 0) this.#rows.pop()
  }

  eachFromOldest(visit: (part: Part) => void): void {
    for (let level = this.#rows.length - 1; level >= 0; level--) {
      const row = this.#rows[level] as Part[]
      for (let i = row.length - 1; i >= 0; i--) visit(row[i] as Part)
    }
  }

  /** All parts as one; a count of 0 when there is none. */
  whole(): Part {
    let whole: Part = { count: 0, mean: 0, squares: 0, min: Infinity, max: -Infinity }
    this.eachFromOldest((part) => (whole = joined(part, whole)))
    return whole
  }

  snapshot(): HistogramState {
    return this.#rows.map((row) => row.map(({ count, mean, squares, min, max }) => [count, mean, squares, min, max]))
  }
}

/** Pooled mean and squares: T. Chan, G. Golub, R. LeVeque, “Updating formulae and a pairwise algorithm”, 1979. */
function joined(a: Part, b: Part): Part {
  const count = a.count + b.count
  const off = b.mean - a.mean
  return {
    count,
    mean: a.mean + (off * b.count) / count,
    squares: a.squares + b.squares + (off * off * a.count * b.count) / count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  }
}

function partOf(numbers: readonly number[]): Part {
  const [count = 0, mean = 0, squares = 0, min = 0, max = 0] = numbers
  return { count, mean, squares, min, max }
}
