/** So many are remembered. */
const MOST = 50
/** From so many on they say something. */
const ENOUGH = 5
const PART = 0.95

/** How long batches have taken here. */
export class BatchTimes {
  readonly #usual: number
  #seen: number[] = []

  /** @param usual what is thought until some were seen, in ms */
  constructor(usual: number) {
    this.#usual = usual
  }

  saw(took: number): void {
    this.#seen = [...this.#seen, took].slice(-MOST)
  }

  /** What 95 of 100 stay below, in ms. */
  get usual(): number {
    if (this.#seen.length < ENOUGH) return this.#usual
    const sorted = this.#seen.toSorted((a, b) => a - b)
    return sorted[Math.ceil(PART * sorted.length) - 1] ?? this.#usual
  }
}

/** Whether a job is done one by one, as a batch may come too late. @param deadline in ms since the Unix epoch */
export function isUrgentFor(deadline: number | undefined, now: number, usual: number): boolean {
  return deadline !== undefined && deadline - now < usual
}
