import type { StoredEvent } from '../../event/event.js'
import type { EndReason } from '../engine/partial.js'
import type { Ground, Live, Parent, Timer, Waiting } from './live.js'
import type { FilterPlan, Plan } from './plan.js'
import type { Taken } from './taken.js'

/** What the tree of one key asks of the executor that it belongs to. */
export interface TreeHost {
  readonly now: number
  nextOrder(): number
  set(timer: Timer): void
  cancel(): void
  hold(by: number): void
  overfull(tree: KeyTree): 'no' | 'oldest' | 'newest'
  readonly most: number
  dropMatches(count: number): void
  dropped(tree: KeyTree, part: Live | null): void
  ended(tree: KeyTree, part: Live, reason: EndReason): void
  match(tree: KeyTree, taken: Taken | null): void
  /** Whether an event satisfies a filter that began with what was taken before. */
  satisfies(filter: FilterPlan, event: StoredEvent, begin: Taken | null, key: string): boolean
}

/** The running tree of one key. */
export class KeyTree implements Ground, Parent {
  readonly key: string
  /** The event that it began with: what caused a match that took no event. */
  readonly origin: StoredEvent
  readonly began: number
  /** Time of the key's last event. */
  seen: number
  readonly root: Live
  /** The tree has ended. */
  over = false
  /** Things held: what waits, and what was taken and is kept for later. */
  held = 0
  /** For each filter of the tree, what waits for it, in order of start; some may wait no more. */
  readonly #waiting: Waiting[][]
  readonly #gone: number[]
  readonly #host: TreeHost
  #showing = false

  constructor(host: TreeHost, plan: Plan, filters: number, key: string, origin: StoredEvent, began: number) {
    this.#host = host
    this.key = key
    this.origin = origin
    this.began = began
    this.seen = began
    this.#waiting = Array.from({ length: filters }, () => [])
    this.#gone = Array.from({ length: filters }, () => 0)
    this.root = plan.make(this, this)
  }

  get now(): number {
    return this.#host.now
  }

  nextOrder(): number {
    return this.#host.nextOrder()
  }

  wait(filter: Waiting): void {
    this.#waiting[filter.plan.index]?.push(filter)
    this.hold(1)
  }

  leave(filter: Waiting): void {
    this.hold(-1)
    const { index } = filter.plan
    const list = this.#waiting[index] as Waiting[]
    const gone = (this.#gone[index] as number) + 1
    this.#gone[index] = gone
    if (!this.#showing && gone * 2 >= list.length) this.#tidy(index)
  }

  #tidy(index: number): void {
    if (this.#gone[index] === 0) return
    this.#gone[index] = 0
    this.#waiting[index] = (this.#waiting[index] as Waiting[]).filter(({ dead }) => !dead)
  }

  /** After a restore: parts were made in the order of the tree. */
  sort(): void {
    for (const list of this.#waiting) list.sort((a, b) => a.order - b.order)
  }

  /** Shows an event to what waits by now: what begins with this event does not see it. */
  show(event: StoredEvent, at: number, filters: readonly FilterPlan[]): void {
    this.#showing = true
    const waiting = filters.map(({ index }) => this.#waiting[index]?.length ?? 0)
    for (const [place, filter] of filters.entries()) {
      const list = this.#waiting[filter.index] as Waiting[]
      for (let i = 0; i < (waiting[place] as number); i++) {
        const each = list[i] as Waiting
        if (!each.dead && this.#host.satisfies(filter, event, each.begin, this.key)) each.take(event, at)
      }
    }
    this.#showing = false
    for (const [index, gone] of this.#gone.entries()) if (gone > 0) this.#tidy(index)
  }

  set(timer: Timer): void {
    this.#host.set(timer)
  }

  cancel(): void {
    this.#host.cancel()
  }

  hold(by: number): void {
    this.held += by
    this.#host.hold(by)
  }

  overfull(): 'no' | 'oldest' | 'newest' {
    return this.#host.overfull(this)
  }

  get most(): number {
    return this.#host.most
  }

  dropMatches(count: number): void {
    this.#host.dropMatches(count)
  }

  dropped(part: Live | null): void {
    this.#host.dropped(this, part)
  }

  ended(part: Live, reason: EndReason): void {
    this.#host.ended(this, part, reason)
  }

  came(_: Live, taken: Taken | null, over: boolean): void {
    if (over) this.over = true
    this.#host.match(this, taken)
  }

  failed(): void {
    this.over = true
  }
}
