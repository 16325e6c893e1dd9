// Reorder
//
// Event time from the events themselves, which come out of order: they wait until none that is earlier can come any more
// without being late, and go on by time.
//
// Invariants (tests cite them):
//   T7  Events leave in the order of (time, sequence), none before the watermark has reached its time, each once.
//   T8  An event is late exactly when its time is below the watermark that stood when it came.
import { fault } from '../error/millrace-error.js'
import { ArrivalQueue } from './arrival-queue.js'
import { EarliestHeap, NOT_QUEUED, type Queued } from './earliest-heap.js'
import { fromStoredTime, toStoredTime, type StoredTime } from './watermark.js'

/** How far event time has come, as plain data. */
export interface ReorderBasis {
  readonly watermark: StoredTime
  /** Largest time of an event so far. */
  readonly largest: StoredTime
}

/** An event that waits, or that has just been taken. */
export interface Held<T> {
  /** In ms. */
  readonly time: number
  readonly sequence: number
  readonly value: T
  /** What stood before it came: a buffer that starts with this and is given the events from `sequence` on is the same. */
  readonly before: ReorderBasis
}

/** A buffer as plain data, as far as its values are. */
export interface ReorderState<T> extends ReorderBasis {
  /** In the order of arrival. */
  readonly waiting: readonly Held<T>[]
}

class Entry<T> implements Held<T>, Queued {
  readonly due: number
  readonly order: number
  place = NOT_QUEUED
  readonly value: T
  readonly #watermark: number
  readonly #largest: number

  constructor(time: number, sequence: number, value: T, watermark: number, largest: number) {
    this.due = time
    this.order = sequence
    this.value = value
    this.#watermark = watermark
    this.#largest = largest
  }

  get time(): number {
    return this.due
  }

  get sequence(): number {
    return this.order
  }

  get before(): ReorderBasis {
    return { watermark: toStoredTime(this.#watermark), largest: toStoredTime(this.#largest) }
  }
}

/**
 * Puts events in the order of their times. The watermark is the largest time so far less `lateness`, and what `advance`
 * was given; it never moves back. Adding and taking are O(log n) for n waiting events, O(1) for events in order.
 */
export class Reorder<T> {
  readonly #lateness: number
  readonly #byTime = new EarliestHeap<Entry<T>>()
  readonly #byArrival = new ArrivalQueue<Entry<T>>()
  #watermark: number
  #largest: number

  /**
   * @param lateness how far behind the newest event an event may come, in ms
   * @param from a `snapshot`, or the `before` of the event that will be added first
   */
  constructor(lateness: number, from: ReorderBasis & Partial<ReorderState<T>> = { watermark: null, largest: null }) {
    if (!(lateness >= 0 && lateness < Infinity)) throw fault('TIME_INVALID', `lateness ${lateness}`)
    this.#lateness = lateness
    this.#watermark = fromStoredTime(from.watermark)
    this.#largest = fromStoredTime(from.largest)
    for (const { time, sequence, value, before } of from.waiting ?? [])
      this.#hold(new Entry(time, sequence, value, fromStoredTime(before.watermark), fromStoredTime(before.largest)))
  }

  /** No event that is earlier will leave any more. -Infinity before the first event. */
  get watermark(): number {
    return this.#watermark
  }

  /** Largest time of an event so far, in ms; -Infinity before the first. */
  get largest(): number {
    return this.#largest
  }

  /** Events that wait. */
  get size(): number {
    return this.#byTime.size
  }

  /** Time of the event that leaves next; Infinity when none waits. */
  get nextTime(): number {
    return this.#byTime.first?.due ?? Infinity
  }

  /** Of the waiting events the one that came first, which is not the one that leaves first: a replay begins with it. */
  get oldest(): Held<T> | undefined {
    return this.#byArrival.first
  }

  /**
   * Takes an event, unless it is late. Call `take` after it until there is nothing to take.
   * @param time in ms
   * @param sequence larger than that of every event before
   * @returns false when it is late, and was not taken
   * @throws EVENT_TIME_INVALID when `time` is no finite number; nothing has changed then
   */
  add(time: number, sequence: number, value: T): boolean {
    if (!Number.isFinite(time)) throw fault('EVENT_TIME_INVALID', `${String(time)} of the event at ${sequence}`)
    if (time < this.#watermark) return false
    this.#hold(new Entry(time, sequence, value, this.#watermark, this.#largest))
    if (time > this.#largest) {
      this.#largest = time
      this.advance(time - this.#lateness)
    }
    return true
  }

  /**
   * Takes an event that need not wait, as `add` and `take` would: where events may not come late, nearly every one.
   * @returns false, and nothing has changed, when it has to wait, is late, or others wait
   */
  passes(time: number): boolean {
    if (this.#byTime.size > 0 || time < this.#watermark || !Number.isFinite(time)) return false
    const watermark = time > this.#largest ? Math.max(this.#watermark, time - this.#lateness) : this.#watermark
    if (time > watermark) return false
    this.#watermark = watermark
    if (time > this.#largest) this.#largest = time
    return true
  }

  /** Moves the watermark to `time`, not back: for input that has fallen silent. @returns the watermark */
  advance(time: number): number {
    if (time > this.#watermark) this.#watermark = time
    return this.#watermark
  }

  /** The next event that the watermark has reached; undefined when there is none. */
  take(): Held<T> | undefined {
    const first = this.#byTime.first
    if (first === undefined || first.due > this.#watermark) return undefined
    this.#byTime.remove(first)
    this.#byArrival.forget()
    return first
  }

  snapshot(): ReorderState<T> {
    const waiting = [...this.#byTime.list()].sort((a, b) => a.order - b.order)
    return {
      watermark: toStoredTime(this.#watermark),
      largest: toStoredTime(this.#largest),
      waiting: waiting.map(({ time, sequence, value, before }) => ({ time, sequence, value, before })),
    }
  }

  #hold(entry: Entry<T>): void {
    this.#byTime.add(entry)
    this.#byArrival.add(entry)
  }
}
