import { checkNumber, checkThat } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { RunningMoments, type Moments } from './moments.js'
import { scoreNormal } from './tail.js'

export interface HoltWintersOptions {
  /** Length of the season, ms. Default one day. */
  readonly period?: number
  /** Parts that the season is cut into, each with an offset of its own. Default 24. */
  readonly slots?: number
  /** Weight of a new value in the level, 0 to 1. Default 0.05. */
  readonly level?: number
  /** Weight of a new step in the trend, 0 to 1. Default 0.005. */
  readonly trend?: number
  /** Weight of a new value in the offset of its slot, 0 to 1. Default 0.1. */
  readonly season?: number
}

/**
 * Additive Holt–Winters forecast with a damped trend; the score is that of the forecast’s error among earlier errors.
 * P. R. Winters, “Forecasting sales by exponentially weighted moving averages”, Management Science 6 (1960); the damping:
 * E. Gardner and E. McKenzie, Management Science 31 (1985); errors as a band: J. Brutlag, “Aberrant behavior detection in
 * time series for network monitoring”, LISA 2000. The slot comes from event time, so that missing values shift nothing.
 * Scores a slot from its second season on. State: six numbers and two per slot.
 * @throws DETECTOR_INVALID
 */
export function holtWinters(options: HoltWintersOptions = {}): DetectorPlan {
  const name = 'holt-winters'
  const { period = 86_400_000, slots = 24, level = 0.05, trend = 0.005, season = 0.1 } = options
  checkNumber(name, 'period', period, { min: 1 })
  checkNumber(name, 'slots', slots, { min: 2, max: 10_000, whole: true })
  checkThat(slots <= period, name, 'a slot must be a millisecond or more')
  for (const [key, weight] of Object.entries({ level, trend, season }))
    checkNumber(name, key, weight, { min: 0, max: 1 })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: slots,
    scope: 'key',
    start: (state) => new HoltWinters({ period, slots, level, trend, season }, state as HoltWintersState | undefined),
  }
}

interface HoltWintersState {
  readonly level: number
  readonly trend: number
  readonly lastSlot: number
  readonly offsets: readonly number[]
  /** Visits of each slot: runs of values in it. */
  readonly visits: readonly number[]
  readonly errors: Moments
}

const DAMPING = 0.98
const ERROR_RATE = 0.01

class HoltWinters implements Detector {
  readonly #o: Required<HoltWintersOptions>
  readonly #offsets: number[]
  readonly #visits: number[]
  readonly #errors: RunningMoments
  #level: number
  #trend: number
  #lastSlot: number

  constructor(options: Required<HoltWintersOptions>, state?: HoltWintersState) {
    this.#o = options
    const zeros = (): number[] => Array.from({ length: options.slots }, () => 0)
    this.#offsets = [...(state?.offsets ?? zeros())]
    this.#visits = [...(state?.visits ?? zeros())]
    this.#errors = new RunningMoments(ERROR_RATE, state?.errors)
    this.#level = state?.level ?? 0
    this.#trend = state?.trend ?? 0
    this.#lastSlot = state?.lastSlot ?? -1
  }

  observe(value: number, time: number): Score | null {
    const slot = slotOf(time, this.#o.period, this.#o.slots)
    if (this.#lastSlot === -1) this.#level = value
    if (slot !== this.#lastSlot) this.#visits[slot] = (this.#visits[slot] as number) + 1
    this.#lastSlot = slot
    const visits = this.#visits[slot] as number
    const expected = this.#level + DAMPING * this.#trend + (this.#offsets[slot] as number)
    const known = visits >= 2 && this.#errors.count >= 2
    const score = known ? scoreNormal(value, expected, this.#errors.sigma) : null
    this.#learn(value, slot, visits)
    if (visits >= 2) this.#errors.add(value - expected)
    return score
  }

  #learn(value: number, slot: number, visits: number): void {
    const offset = this.#offsets[slot] as number
    const trend = DAMPING * this.#trend
    const level = this.#level + trend + this.#o.level * (value - offset - this.#level - trend)
    this.#trend = trend + this.#o.trend * (level - this.#level - trend)
    this.#level = level
    // a new slot learns fast: its first visits weigh alike
    const weight = Math.max(this.#o.season, 0.5 / visits)
    this.#offsets[slot] = offset + weight * (value - level - offset)
  }

  snapshot(): HoltWintersState {
    return {
      level: this.#level,
      trend: this.#trend,
      lastSlot: this.#lastSlot,
      offsets: [...this.#offsets],
      visits: [...this.#visits],
      errors: this.#errors.snapshot(),
    }
  }
}

/** Part of the season that a time falls into, 0 to slots − 1. */
export function slotOf(time: number, period: number, slots: number): number {
  const within = ((time % period) + period) % period
  return Math.min(slots - 1, Math.floor((within * slots) / period))
}
