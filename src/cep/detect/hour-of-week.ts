import { checkNumber, checkThat } from './check-options.js'
import { signatureOf, type Detector, type DetectorPlan, type Score } from './detector.js'
import { slotOf } from './holt-winters.js'
import { scoreNormal } from './tail.js'

export interface HourOfWeekOptions {
  /** Length of the season, ms. Default one week. */
  readonly period?: number
  /** Slots in it. Default 168, an hour each. */
  readonly slots?: number
  /** Added to the event time before its slot is taken, ms: 3,600,000 for UTC+1. The week begins on Thursday (1 January 1970). Default 0. */
  readonly offset?: number
  /** Seasons after which what was learnt weighs half. Default 4. */
  readonly halfLife?: number
}

/**
 * What is usual at this hour of the week: mean and variance for each slot, over the seasons so far, weighted exponentially, with a
 * common variance that stands in for slots that have seen little. No trend and no carry-over from one slot to the next: what
 * people do at nine on Mondays. Known from monitoring practice (Brutlag’s bands, LISA 2000, by slot instead of by forecast). Scores a
 * slot from its second season on. State: at most three numbers per slot seen, and seven.
 * @throws DETECTOR_INVALID
 */
export function hourOfWeek(options: HourOfWeekOptions = {}): DetectorPlan {
  const name = 'hour-of-week'
  const { period = 604_800_000, slots = 168, offset = 0, halfLife = 4 } = options
  checkNumber(name, 'period', period, { min: 1 })
  checkNumber(name, 'slots', slots, { min: 2, max: 10_000, whole: true })
  checkThat(slots <= period, name, 'a slot must be a millisecond or more')
  checkNumber(name, 'offset', offset, { min: -period, max: period })
  const rate = 1 - 2 ** (-1 / checkNumber(name, 'halfLife', halfLife, { min: 0.5 }))
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: slots,
    scope: 'key',
    start: (state) => new HourOfWeek({ period, slots, offset, rate }, state as HourOfWeekState | undefined),
  }
}

/** Seasons that were folded in, with mean and variance. */
type Spread = [count: number, mean: number, variance: number]

interface HourOfWeekState {
  /** Visit that goes on: its slot, then its values. */
  readonly slot: number
  readonly now: Spread
  readonly pooled: Spread
  readonly seen: readonly (readonly [slot: number, spread: Spread])[]
}

interface Settings {
  readonly period: number
  readonly slots: number
  readonly offset: number
  readonly rate: number
}

/** As many seasons as the common variance counts for in a slot. */
const PRIOR = 3

class HourOfWeek implements Detector {
  readonly #o: Settings
  readonly #seen: Map<number, Spread>
  readonly #pooled: Spread
  #slot: number
  #now: Spread

  constructor(settings: Settings, state?: HourOfWeekState) {
    this.#o = settings
    this.#seen = new Map(state?.seen.map(([slot, spread]) => [slot, [...spread]]))
    this.#pooled = [...(state?.pooled ?? ([0, 0, 0] as const))]
    this.#slot = state?.slot ?? -1
    this.#now = [...(state?.now ?? ([0, 0, 0] as const))]
  }

  observe(value: number, time: number): Score | null {
    const { period, slots, offset } = this.#o
    const slot = slotOf(time + offset, period, slots)
    if (slot !== this.#slot) this.#turn(slot)
    const known = this.#seen.get(slot)
    this.#count(value)
    if (known === undefined) return null
    const [seasons, mean, variance] = known
    const pooled = (PRIOR * this.#pooled[2] + seasons * variance) / (PRIOR + seasons)
    return scoreNormal(value, mean, Math.sqrt(pooled))
  }

  #count(value: number): void {
    const now = this.#now
    now[0]++
    const off = value - now[1]
    now[1] += off / now[0]
    now[2] += (off * (value - now[1]) - now[2]) / now[0]
  }

  /** A visit of a slot has ended: it is mixed into what the slot has seen, and into the common variance. */
  #turn(slot: number): void {
    const now = this.#now
    if (this.#slot >= 0) {
      const known = this.#seen.get(this.#slot)
      const before = known?.[1] ?? now[1]
      const spread = now[2] + (now[1] - before) ** 2
      if (known === undefined) this.#seen.set(this.#slot, [1, now[1], now[2]])
      else mix(known, now, this.#o.rate)
      mix(this.#pooled, [1, 0, spread], this.#o.rate / this.#o.slots)
    }
    this.#slot = slot
    this.#now = [0, 0, 0]
  }

  snapshot(): HourOfWeekState {
    return {
      slot: this.#slot,
      now: [...this.#now],
      pooled: [...this.#pooled],
      seen: Array.from(this.#seen, ([slot, spread]) => [slot, [...spread]]),
    }
  }
}

/** Mixes one distribution into another with the weight of one season, at least `rate`. */
function mix(into: Spread, one: Readonly<Spread>, rate: number): void {
  into[0]++
  const weight = Math.max(rate, 1 / into[0])
  const off = one[1] - into[1]
  into[2] = (1 - weight) * into[2] + weight * one[2] + weight * (1 - weight) * off * off
  into[1] += weight * off
}
