import { MOST_AHEAD } from '../../cep/rule/rule-input.js'
import { fault } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import { Reorder } from '../../time/reorder.js'
import { toStoredTime } from '../../time/watermark.js'
import type { TimeSource } from '../pipeline-time.js'
import type { Before, Mark } from './replay-marks.js'

/** An event as it came. */
export interface Arrived {
  readonly event: StoredEvent
  readonly key: string
  /** Its place in its message, from 0. */
  readonly index: number
}

/** What an intake works on. */
export interface IntakeTarget {
  /** Event time. */
  now(): number
  /** Moves event time, not back, and fires what is due until then. */
  moveTo(time: number): void
  /** Gives an event its turn, now. @param mark where it has waited: of its message */
  deliver(arrived: Arrived, mark?: Mark): void
  /** The mark of the message that is being taken, held; `release` lets it go. */
  hold(): Mark
  release(mark: Mark): void
  /** An event came too late, and is to be passed over. */
  late(): void
  /** A late event makes one of its own. */
  emit(draft: EventDraft): void
  fail(error: unknown): void
}

/**
 * Brings events into the order of event time. “Stream time” is that of the stream’s clock, on which events are stored
 * and ticks are taken. In ms.
 */
export interface SlotIntake {
  /** Takes an event: it has its turn, or waits for it, or is late. */
  offer(arrived: Arrived): void
  /** Moves event time without an event, and lets those go that have waited for it. */
  passTo(time: number): void
  /** Event time once the event has been taken. @throws where `offer` would fail the event */
  after(event: StoredEvent): number
  /** Event time at which the next waiting event has its turn; Infinity: none waits. */
  readonly next: number
  /** Largest time of an event, and of its storing; -Infinity where that does not matter. */
  readonly newest: number
  readonly stored: number
  /** Stream time at which event time may be taken to be `time`, if no event comes; whole ms. */
  toStream(time: number): number
  fromStream(time: number): number
}

export type IntakeBasis = Pick<Before, 'watermark' | 'newest' | 'stored'>

export function slotIntake(time: TimeSource, from: IntakeBasis | undefined, target: IntakeTarget): SlotIntake {
  return time.kind === 'ingestion' ? new IngestionIntake(target) : new OwnTimeIntake(time, from, target)
}

/** Event time is when events are stored. */
class IngestionIntake implements SlotIntake {
  readonly next = Number.POSITIVE_INFINITY
  readonly newest = Number.NEGATIVE_INFINITY
  readonly stored = Number.NEGATIVE_INFINITY
  readonly #target: IntakeTarget

  constructor(target: IntakeTarget) {
    this.#target = target
  }

  offer(arrived: Arrived): void {
    this.#target.moveTo(arrived.event.storedAt)
    this.#target.deliver(arrived)
  }

  passTo(time: number): void {
    this.#target.moveTo(time)
  }

  after(event: StoredEvent): number {
    return Math.max(this.#target.now(), event.storedAt)
  }

  toStream(time: number): number {
    return Math.ceil(time)
  }

  fromStream(time: number): number {
    return time
  }
}

interface Waiting {
  readonly arrived: Arrived
  readonly mark: Mark
}

/**
 * Events have times of their own and come out of order. While the input is silent, event time goes on from the newest
 * event as fast as the stream’s clock does since the last one was stored: so producers that are behind, and recordings
 * of another year, are not late because nobody published for a moment.
 */
class OwnTimeIntake implements SlotIntake {
  readonly #time: Extract<TimeSource, { kind: 'own' }>
  readonly #target: IntakeTarget
  readonly #waiting: Reorder<Waiting>
  #stored: number
  /** Events of one message have one sequence; here each has its own number. */
  #arrivals = 0

  constructor(time: Extract<TimeSource, { kind: 'own' }>, from: IntakeBasis | undefined, target: IntakeTarget) {
    this.#time = time
    this.#target = target
    this.#stored = from?.stored ?? Number.NEGATIVE_INFINITY
    const { watermark = Number.NEGATIVE_INFINITY, newest = Number.NEGATIVE_INFINITY } = from ?? {}
    const basis = { watermark: toStoredTime(watermark), largest: toStoredTime(newest) }
    this.#waiting = new Reorder(time.lateness, basis)
  }

  get next(): number {
    return this.#waiting.nextTime
  }

  get newest(): number {
    return this.#waiting.largest
  }

  get stored(): number {
    return this.#stored
  }

  offer(arrived: Arrived): void {
    const target = this.#target
    const { event } = arrived
    let time: number
    try {
      time = this.#timeOf(event)
    } catch (error) {
      return target.fail(error)
    }
    if (event.storedAt > this.#stored) this.#stored = event.storedAt
    if (this.#waiting.passes(time)) {
      target.moveTo(time)
      target.deliver(arrived)
      return target.moveTo(this.#waiting.watermark)
    }
    const mark = target.hold()
    if (this.#waiting.add(time, this.#arrivals++, { arrived, mark })) return this.passTo(this.#waiting.watermark)
    target.release(mark)
    this.#late(event, time)
  }

  passTo(time: number): void {
    const target = this.#target
    this.#waiting.advance(time)
    for (let held = this.#waiting.take(); held !== undefined; held = this.#waiting.take()) {
      const { arrived, mark } = held.value
      target.moveTo(held.time)
      target.deliver(arrived, mark)
      target.release(mark)
    }
    if (Number.isFinite(time)) target.moveTo(time)
  }

  after(event: StoredEvent): number {
    const time = this.#timeOf(event)
    const { largest, watermark } = this.#waiting
    return time > largest ? Math.max(watermark, time - this.#time.lateness) : watermark
  }

  toStream(time: number): number {
    const at = Math.ceil(time + this.#time.lateness - this.newest + this.#stored)
    return this.fromStream(at) < time ? at + 1 : at // sums of fractions are rounded
  }

  fromStream(time: number): number {
    return this.newest + (time - this.#stored) - this.#time.lateness
  }

  /** @throws EVENT_TIME_INVALID, EVENT_TIME_AHEAD, and what the pipeline’s own function throws */
  #timeOf(event: StoredEvent): number {
    const time = Math.floor(this.#time.of(event))
    const { type, id, storedAt } = event
    if (!Number.isFinite(time)) throw fault('EVENT_TIME_INVALID', `${time} of ${type} ${id}`)
    if (time - storedAt > MOST_AHEAD) throw fault('EVENT_TIME_AHEAD', `${type} ${id}: ${time}, stored at ${storedAt}`)
    return time
  }

  #late(event: StoredEvent, time: number): void {
    const { late } = this.#time
    if (late === 'drop') return this.#target.late()
    if (late === 'dead-letter') {
      const behind = `${this.#waiting.watermark - time} ms behind the watermark`
      return this.#target.fail(fault('EVENT_LATE', `${event.type} ${event.id} of ${time}, ${behind}`))
    }
    try {
      this.#target.emit(late(event))
    } catch (error) {
      this.#target.fail(error)
    }
  }
}
