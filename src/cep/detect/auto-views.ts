import { slotOf } from './holt-winters.js'
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
export const LONGEST = 96

/**
 * The views of `auto`: the value alone, the step, short shapes, and means, shapes and spreads over 6 to 96 values (half an hour to
 * eight hours at five minutes), each by its distance from what was seen before; and the value among those at the same time of day.
 */
export const VIEWS: readonly ViewMaker[] = [
  shape(1, 1),
  shape(2, 2),
  shape(4, 4),
  shape(6, 1),
  shape(24, 1),
  shape(24, 4),
  shape(48, 8),
  shape(96, 8),
  feature(12, spread(12)),
  feature(48, spread(48)),
  feature(1, (recent) => (recent.at(-1) as number) - (recent.at(-2) ?? NaN)),
  timeOfDay(),
]

/** The last `length` values as the means of `parts` equal parts. */
function shape(length: number, parts: number): ViewMaker {
  return (capacity, scale, state) => {
    const novelty = new Novelty(capacity, length, scale, state as NoveltyState | undefined)
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
    const novelty = new Novelty(capacity, gap, scale, known)
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

interface Slot {
  visits: number
  readonly known: Novelty
}

type TimeOfDayState = readonly [
  now: number,
  visit: number[],
  stride: number,
  skipped: number,
  slots: [number, number, NoveltyState][],
]

/** Distance from the values of earlier days in the same half hour. A visit becomes known when it is over. */
function timeOfDay(): ViewMaker {
  return (_capacity, scale, state) => {
    const [now = -1, visit = [], stride = 1, skipped = 0, seen = []] = (state ?? []) as Partial<TimeOfDayState>
    const slots = new Map<number, Slot>()
    for (const [slot, visits, known] of seen)
      slots.set(slot, { visits, known: new Novelty(SLOT_CAPACITY, 0, scale, known) })
    let present = { now, visit: [...visit], stride, skipped }
    const turn = (next: number): void => {
      if (present.now >= 0) {
        const slot = slots.get(present.now) ?? { visits: 0, known: new Novelty(SLOT_CAPACITY, 0, scale) }
        slots.set(present.now, slot)
        slot.visits++
        for (const value of present.visit) slot.known.learn([value])
      }
      present = { now: next, visit: [], stride: 1, skipped: 0 }
    }
    return {
      measure: (recent, time) => {
        const value = recent.at(-1) as number
        const at = slotOf(time, DAY, SLOTS)
        if (at !== present.now) turn(at)
        thin(present, value)
        const slot = slots.get(at)
        return slot === undefined || slot.visits < SLOT_VISITS ? null : slot.known.distance([value])
      },
      snapshot: (): TimeOfDayState => [
        present.now,
        [...present.visit],
        present.stride,
        present.skipped,
        Array.from(slots, ([slot, { visits, known }]) => [slot, visits, known.snapshot()]),
      ],
    }
  }
}

/** Keeps every `stride`-th value of a visit, and of many every second one. */
function thin(present: { visit: number[]; stride: number; skipped: number }, value: number): void {
  if (++present.skipped < present.stride) return
  present.skipped = 0
  present.visit.push(value)
  if (present.visit.length < 2 * SLOT_CAPACITY) return
  present.visit = present.visit.filter((_, i) => i % 2 === 1)
  present.stride *= 2
}
