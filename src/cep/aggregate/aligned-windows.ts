import type { StoredEvent } from '../../event/event.js'
import { EarlyResults, type SavedEarly } from './early-results.js'
import type { Part } from './part.js'
import { Panes, type SavedPanes } from './panes.js'
import type { KeyWindows, WindowContext } from './window-plan.js'
import { firstEndAfter, lastEndOf, sliceAt, type AlignedShape, type Span } from './window-shape.js'

type Saved = readonly [end: number | null, early: SavedEarly | 0, panes: SavedPanes]

/** Tumbling or sliding windows of one key. Only the window that ends next has early results. */
export class AlignedWindows implements KeyWindows {
  readonly #key: string
  readonly #with: WindowContext
  readonly #shape: AlignedShape
  readonly #panes: Panes
  readonly #early: EarlyResults
  /** End of the first window that has events and is open; Infinity when there is none. */
  #end = Infinity

  constructor(key: string, context: WindowContext, shape: AlignedShape, saved?: unknown) {
    const state = saved as Saved | undefined
    this.#key = key
    this.#with = context
    this.#shape = shape
    const early = state?.[1]
    this.#early = new EarlyResults(context.plan.early, early === 0 ? undefined : early)
    this.#panes = new Panes(context.plan.accumulators, state?.[2])
    if (state !== undefined) this.#end = state[0] ?? Infinity
  }

  get deadline(): number {
    return Math.min(this.#end, this.#early.due)
  }

  get forgetAt(): number {
    const { oldest } = this.#panes
    return oldest === undefined ? Infinity : lastEndOf(this.#shape, oldest.start) + this.#with.plan.keep
  }

  get oldest(): number {
    return this.#panes.oldest?.first.time ?? Infinity
  }

  get size(): number {
    return this.#panes.length
  }

  get open(): Part | undefined {
    const part = this.#end === Infinity ? undefined : this.#panes.mergedAlone(this.#windowTo(this.#end))
    return part === undefined ? undefined : { ...part, end: this.#end }
  }

  add(event: StoredEvent): void {
    const slice = sliceAt(this.#shape, event.time)
    if (slice !== undefined && this.#store(slice, event)) this.#isOpen(slice, event.time)
  }

  isTooLate(time: number, now: number): boolean {
    const slice = sliceAt(this.#shape, time)
    return slice !== undefined && lastEndOf(this.#shape, slice.start) + this.#with.plan.keep <= now
  }

  addBehind(event: StoredEvent, now: number): void {
    const slice = sliceAt(this.#shape, event.time)
    if (slice === undefined || !this.#store(slice, event)) return
    const last = lastEndOf(this.#shape, slice.start)
    const from = Math.max(event.time, now - this.#with.plan.keep)
    for (let end = firstEndAfter(this.#shape, from); end <= Math.min(now, last); end += this.#shape.step)
      this.#putLate(end, now)
    if (last > now) this.#isOpen(slice, now)
  }

  fire(): void {
    const now = this.deadline
    if (now < this.#end) {
      this.#putEarly(now)
      this.#early.given()
      return
    }
    const window = this.#windowTo(now)
    const part = this.#panes.merged(window, now)
    if (part !== undefined) this.#with.put(this.#key, window, part, 'final', now)
    this.#early.given()
    const next = this.#panes.firstFrom(window.start + this.#shape.step)
    this.#end = next === undefined ? Infinity : firstEndAfter(this.#shape, Math.max(now, next.start))
    this.forget(now)
  }

  forget(now: number): void {
    const { keep } = this.#with.plan
    this.#panes.drop(this.#panes.countWhile((start) => lastEndOf(this.#shape, start) + keep <= now))
  }

  save(): Saved {
    return [this.#end === Infinity ? null : this.#end, this.#early.save(), this.#panes.save()]
  }

  /** @returns whether there was room */
  #store(slice: Span, event: StoredEvent): boolean {
    const { plan, drops, errors } = this.#with
    const { windowsPerKey, policy } = plan.limits
    if (this.#panes.length >= windowsPerKey && !this.#panes.has(slice.start)) {
      if (!drops.makeRoom(policy, 'windowsPerKey', windowsPerKey, this.#key)) return false
      this.#panes.drop(1)
    }
    this.#panes.add(slice, event, errors)
    return true
  }

  /** An event came to a slice that has open windows. */
  #isOpen(slice: Span, now: number): void {
    const end = firstEndAfter(this.#shape, Math.max(slice.start, now))
    if (end < this.#end) {
      this.#end = end
      this.#early.given()
    }
    if (slice.start >= this.#end - this.#shape.size && slice.start < this.#end && this.#early.came(now))
      this.#putEarly(now)
  }

  #putEarly(now: number): void {
    const window = this.#windowTo(this.#end)
    const part = this.#panes.merged(window, now)
    if (part !== undefined) this.#with.put(this.#key, window, part, 'early', now)
  }

  #putLate(end: number, now: number): void {
    const window = this.#windowTo(end)
    const part = this.#panes.mergedAlone(window)
    if (part !== undefined) this.#with.put(this.#key, window, part, 'late', now)
  }

  #windowTo(end: number): Span {
    return { start: end - this.#shape.size, end }
  }
}
