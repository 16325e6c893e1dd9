import type { Observer, Subscription } from 'rxjs'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { PipelineContext } from '../pipeline-context.js'
import type { Mark } from './replay-marks.js'
import type { SlotInput } from './slot-input.js'
import type { Said } from './slot-output.js'

/** Told what comes out of a slot. */
export interface SlotTarget {
  emitted(slot: Slot, draft: EventDraft): void
  failed(slot: Slot, error: unknown): void
  completed(slot: Slot): void
}

/** The events of one key for as long as it lives, with a subscription of their own. Observes what comes out of it. */
export class Slot implements Observer<EventDraft> {
  readonly key: string
  /** Id of its first event. */
  readonly birthId: string
  context: PipelineContext | undefined
  /** undefined before it is subscribed, and after it has failed. */
  input: SlotInput | undefined
  subscription: Subscription | undefined
  /** Its pipeline has completed: what comes is left aside, but it lives as long as it would have. */
  completed = false
  /** Event time of its last event, and what follows from that one. */
  lastTime: number
  correlationId: string
  causationId: string
  /** What it put out so far, but for what was not hashed yet. */
  hash = 0
  unhashed: Said[] | undefined
  /** The earliest message that it had an event of. */
  mark: Mark
  /** Neighbours in the list that it is in. */
  before: Slot | undefined
  after: Slot | undefined
  /** When it leaves, once its input has ended. */
  endsAt = Number.POSITIVE_INFINITY
  readonly #target: SlotTarget
  readonly #sequence: number
  readonly #index: number

  /** @param index place of its first event in its message */
  constructor(target: SlotTarget, key: string, event: StoredEvent, index: number, time: number, mark: Mark) {
    this.#target = target
    this.#sequence = event.sequence
    this.#index = index
    this.key = key
    this.birthId = event.id
    this.lastTime = time
    this.correlationId = event.correlationId ?? event.id
    this.causationId = event.id
    this.mark = mark
  }

  /** Its input has ended, and its key may have another one. */
  get hasEnded(): boolean {
    return this.endsAt !== Number.POSITIVE_INFINITY
  }

  /** Sequence of its first event, and its place in that message; no other slot of the key has the same. */
  get birth(): string {
    return this.#index === 0 ? String(this.#sequence) : `${this.#sequence}.${this.#index}`
  }

  next(draft: EventDraft): void {
    this.#target.emitted(this, draft)
  }

  error(error: unknown): void {
    this.input = undefined
    this.#target.failed(this, error)
  }

  complete(): void {
    this.completed = true
    this.#target.completed(this)
  }
}

/** Slots in a row. Adding at the end and taking out anywhere are O(1). */
export class SlotList {
  first: Slot | undefined
  #last: Slot | undefined

  push(slot: Slot): void {
    slot.before = this.#last
    slot.after = undefined
    if (this.#last === undefined) this.first = slot
    else this.#last.after = slot
    this.#last = slot
  }

  remove(slot: Slot): void {
    if (slot.before === undefined) this.first = slot.after
    else slot.before.after = slot.after
    if (slot.after === undefined) this.#last = slot.before
    else slot.after.before = slot.before
    slot.before = slot.after = undefined
  }

  *[Symbol.iterator](): Generator<Slot> {
    for (let slot = this.first; slot !== undefined; slot = slot.after) yield slot
  }
}
