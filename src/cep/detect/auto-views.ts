import { slotOf } from './holt-winters.js'
import { RunningMoments, type Moments } from './moments.js'
import { Novelty, type NoveltyState } from './novelty.js'
import { SeriesScale, type ScaleState } from './series-scale.js'

/** The last values, oldest first, the newest at the end. */
export type Recent = readonly number[]

/** One way of looking at a series: turns what is recent into a measurement, 0 or more, of how unlike anything before it is. */
export interface View {
  /** @returns null as long as too little is known */
  measure(recent: Recent, time: number): number | null
  snapshot(): unknown
}

/** Makes a view, new or from a snapshot. `scale` is that of the values. */
export type ViewMaker = (capacity: number, scale: SeriesScale, state: unknown) => View

/** As many values as any view looks back. */
export const LONGEST = 48

/**
 * The views of `auto`: the value alone, the step, and means, shapes and spreads over 6 to 48 values (half an hour to
 * four hours at five minutes), each by its distance from what was seen before; and the value among those at the same time of day.
 */
export const VIEWS: readonly ViewMaker[] = [
  shape(1, 1),
  shape(2, 2),
  shape(6, 1),
  shape(24, 1),
  shape(24, 4),
  shape(48, 8),
  feature(12, spread(12)),
  feature(48, spread(48)),
  feature(1, (recent) => (recent.at(-1) as number) - (recent.at(-2) ?? NaN)),
  timeOfDay(),
]

/** The last `length` values as the means of `parts` equal parts. */
function shape(length: number, parts: number): ViewMaker {
  return (capacity, scale, state) => {
    const novelty = new Novelty(capacity, parts, length, scale, state as NoveltyState | undefined)
    return {
      measure: (recent) => (recent.length < length ? null : novelty.observe(means(recent, length, parts))),
      snapshot: () => novelty.snapshot(),
    }
  }
}

function means(recent: Recent, length: number, parts: number): number[] {
  const each = length / parts
  const out: number[] = []
  for (let from = recent.length - length; from < recent.length; from += each) {
    let sum = 0
    for (let i = from; i < from + each; i++) sum += recent[i] as number
    out.push(sum / each)
  }
  return out
}

/** A number computed from the last values, on a scale of its own; NaN: not yet. */
function feature(gap: number, of: (recent: Recent) => number): ViewMaker {
  return (capacity, _values, state) => {
    const [own, known] = (state ?? []) as [ScaleState?, NoveltyState?]
    const scale = new SeriesScale(own)
    const novelty = new Novelty(capacity, 1, gap, scale, known)
    return {
      measure: (recent) => {
        const value = of(recent)
        if (Number.isNaN(value)) return null
        const distance = novelty.observe([value])
        scale.add(value)
        return distance
      },
      snapshot: () => [scale.snapshot(), novelty.snapshot()],
    }
  }
}

function spread(length: number): (recent: Recent) => number {
  return (recent) => {
    if (recent.length < length) return NaN
    const [mean = 0] = means(recent, length, 1)
    let squares = 0
    for (let i = recent.length - length; i < recent.length; i++) squares += ((recent[i] as number) - mean) ** 2
    return Math.sqrt(squares / length)
  }
}

const DAY = 86_400_000
const SLOTS = 48
const SLOT_CAPACITY = 16
/** Visits of a slot before it says anything. */
const SLOT_VISITS = 3
/** Visits that the mean of a slot looks back. */
const SLOT_MEMORY = 14

/** The time of day counts where values lie so much nearer to the mean of their slot than to the median: half of the variance. */
const EXPLAINED = Math.SQRT1_2
const FORGETTING = 0.0005

interface Slot {
  visits: number
  /** Mean of its values, by visit. */
  mean: number
  readonly known: Novelty
}

interface TimeOfDayState {
  readonly slot: number
  readonly visit: Visit
  readonly offSlot: Moments
  readonly offMedian: Moments
  readonly slots: readonly (readonly [slot: number, visits: number, mean: number, known: NoveltyState])[]
}

/** Values of the slot that goes on: every `stride`-th, and the sum of all. */
interface Visit {
  values: number[]
  stride: number
  skipped: number
  sum: number
  count: number
}

const NO_VISIT: Visit = { values: [], stride: 1, skipped: 0, sum: 0, count: 0 }

/** Distance from the values of earlier days in the same half hour. A visit becomes known when it is over. */
function timeOfDay(): ViewMaker {
  return (_capacity, scale, state) => new TimeOfDay(scale, state as TimeOfDayState | undefined)
}

class TimeOfDay implements View {
  readonly #scale: SeriesScale
  readonly #slots = new Map<number, Slot>()
  /** Mean distances from the mean of the slot, and from the median of all. */
  readonly #offSlot: RunningMoments
  readonly #offMedian: RunningMoments
  #slot: number
  #visit: Visit

  constructor(scale: SeriesScale, state?: TimeOfDayState) {
    this.#scale = scale
    this.#slot = state?.slot ?? -1
    this.#visit = { ...(state?.visit ?? NO_VISIT), values: [...(state?.visit.values ?? [])] }
    this.#offSlot = new RunningMoments(FORGETTING, state?.offSlot)
    this.#offMedian = new RunningMoments(FORGETTING, state?.offMedian)
    for (const [slot, visits, mean, known] of state?.slots ?? [])
      this.#slots.set(slot, { visits, mean, known: new Novelty(SLOT_CAPACITY, 1, 0, scale, known) })
  }

  measure(recent: Recent, time: number): number | null {
    const value = recent.at(-1) as number
    const at = slotOf(time, DAY, SLOTS)
    if (at !== this.#slot) this.#turn(at)
    keep(this.#visit, value)
    const slot = this.#slots.get(at)
    if (slot === undefined || slot.visits < SLOT_VISITS) return null
    const explained = this.#offSlot.mean <= EXPLAINED * this.#offMedian.mean
    const place = this.#scale.place(value)
    this.#offSlot.add(Math.abs(place - this.#scale.place(slot.mean)))
    this.#offMedian.add(Math.abs(place))
    return explained ? slot.known.distance([value]) : null
  }

  #turn(next: number): void {
    const { values, sum, count } = this.#visit
    if (count > 0) {
      const slot = this.#slots.get(this.#slot) ?? {
        visits: 0,
        mean: 0,
        known: new Novelty(SLOT_CAPACITY, 1, 0, this.#scale),
      }
      this.#slots.set(this.#slot, slot)
      slot.visits++
      slot.mean += (sum / count - slot.mean) / Math.min(slot.visits, SLOT_MEMORY)
      for (const value of values) slot.known.learn([value])
    }
    this.#slot = next
    this.#visit = { ...NO_VISIT, values: [] }
  }

  snapshot(): TimeOfDayState {
    return {
      slot: this.#slot,
      visit: { ...this.#visit, values: [...this.#visit.values] },
      offSlot: this.#offSlot.snapshot(),
      offMedian: this.#offMedian.snapshot(),
      slots: Array.from(this.#slots, ([slot, { visits, mean, known }]) => [slot, visits, mean, known.snapshot()]),
    }
  }
}

/** Keeps every `stride`-th value of a visit, and of many every second one. */
function keep(visit: Visit, value: number): void {
  visit.sum += value
  visit.count++
  if (++visit.skipped < visit.stride) return
  visit.skipped = 0
  visit.values.push(value)
  if (visit.values.length < 2 * SLOT_CAPACITY) return
  visit.values = visit.values.filter((_, i) => i % 2 === 1)
  visit.stride *= 2
}
