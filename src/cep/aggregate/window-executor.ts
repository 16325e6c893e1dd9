// WindowExecutor
//
// An aggregation at work: windows of every key, ended by event time.
//
//   engine -> WindowExecutor:       take(event), takeBehind(event), passTime(time)
//   WindowExecutor -> KeyWindows:   add, addBehind, fire, forget
//   KeyWindows -> results:          put(window)
//
// Invariants (tests cite them):
//   W2  A window has one final result, when time has come to its end, and is every event that came in it by then.
//   W3  Results come by time, then in the order in which their keys began. When somebody looks makes no difference.
//   W4  State goes with event time: of a key nothing is left when its last window is over and no longer kept.
import type { StoredEvent } from '../../event/event.js'
import { EarliestHeap, NOT_QUEUED, type Queued } from '../../time/earliest-heap.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import type { Partial } from '../engine/partial.js'
import { Tally, type SavedTally } from '../engine/tally.js'
import { AlignedWindows } from './aligned-windows.js'
import { SessionWindows } from './session-windows.js'
import { resultsTo } from './window-results.js'
import type { KeyWindows, WindowContext, WindowPlan } from './window-plan.js'

/** A key: queued by when its next result comes, which may have become later since. */
interface KeyEntry extends Queued {
  readonly key: string
  readonly windows: KeyWindows
  /** What `windows` had when they were last looked at: how many slices or sessions, and the time of their earliest event. */
  size: number
  oldest: number
  /** When something that is kept for late events can go; undefined: nothing is ever kept. */
  readonly kept: Kept | undefined
}

interface Kept extends Queued {
  readonly key: string
}

export interface WindowState {
  readonly clock: number | null
  readonly order: number
  /** [key, order of start, its windows] */
  readonly keys: readonly (readonly [string, number, unknown])[]
  readonly tally: SavedTally
}

export class WindowExecutor implements Executor {
  readonly #plan: WindowPlan
  readonly #context: WindowContext
  readonly #tally: Tally
  readonly #keys = new Map<string, KeyEntry>()
  readonly #due = new EarliestHeap<KeyEntry>()
  readonly #kept = new EarliestHeap<Kept>()
  #clock = -Infinity
  #order = 0
  #size = 0
  /** Time of the earliest event; undefined: to be looked for. */
  #oldest: number | undefined = Infinity

  constructor(plan: WindowPlan, out: Collector, state: WindowState | undefined) {
    this.#plan = plan
    this.#tally = new Tally(state?.tally)
    const { errors, drops } = this.#tally
    this.#context = { plan, errors, drops, put: resultsTo(plan, out, this.#tally) }
    if (state === undefined) return
    this.#clock = state.clock ?? -Infinity
    for (const [key, order, saved] of state.keys) this.#settle(this.#enter(key, order, this.#windowsOf(key, saved)))
    this.#order = state.order
    this.#oldest = undefined
  }

  take(event: StoredEvent, key: string): void {
    this.passTime(event.time)
    if (!this.#wants(event, key)) return
    let entry = this.#keys.get(key)
    if (entry === undefined) {
      if (!this.#hasRoom(key)) return
      entry = this.#enter(key, this.#order++, this.#windowsOf(key))
    }
    entry.windows.add(event)
    this.#settle(entry)
  }

  takeBehind(event: StoredEvent, key: string): boolean {
    if (!this.#wants(event, key)) return true
    const known = this.#keys.get(key)
    const windows = known?.windows ?? this.#windowsOf(key)
    if (windows.isTooLate(event.time, this.#clock)) return false
    if (known === undefined && !this.#hasRoom(key)) return true
    windows.addBehind(event, this.#clock)
    this.#settle(known ?? this.#enter(key, this.#order++, windows))
    return true
  }

  passTime(time: number): void {
    for (let next = this.#next(); next !== undefined && next.due <= time; next = this.#next()) {
      this.#clock = next.due
      next.windows.fire()
      this.#settle(next)
    }
    this.#clock = Math.max(this.#clock, time)
    for (let first = this.#kept.first; first !== undefined && first.due <= time; first = this.#kept.first) {
      const entry = this.#keys.get(first.key) as KeyEntry
      this.#kept.remove(first)
      entry.windows.forget(time)
      this.#settle(entry)
    }
  }

  get due(): number {
    return this.#next()?.due ?? Infinity
  }

  get horizon(): number {
    if (this.#oldest === undefined) {
      this.#oldest = Infinity
      for (const { windows } of this.#keys.values()) this.#oldest = Math.min(this.#oldest, windows.oldest)
    }
    return this.#oldest
  }

  get stats(): ExecutorStats {
    return {
      keys: this.#keys.size,
      partialMatches: this.#size,
      ...this.#tally.stats,
    }
  }

  partials(key: string): readonly Partial[] {
    const open = this.#keys.get(key)?.windows.open
    if (open === undefined) return []
    const events = open.first === open.last ? [open.first] : [open.first, open.last]
    const taken = events.map((event) => ({ stage: 'window', event }))
    return [{ key, taken, waitsFor: [`the end of the window: ${open.count} events so far`], until: open.end }]
  }

  snapshot(): WindowState {
    return {
      clock: this.#clock === -Infinity ? null : this.#clock,
      order: this.#order,
      keys: Array.from(this.#keys.values(), ({ key, order, windows }) => [key, order, windows.save()] as const),
      tally: this.#tally.save(),
    }
  }

  #wants(event: StoredEvent, key: string): boolean {
    const { types, where } = this.#plan
    if (types.size > 0 && !types.has(event.type)) return false
    if (where === undefined) return true
    return this.#tally.holds(
      () => where(event, key),
      () => `${event.id}, where`,
    )
  }

  #windowsOf(key: string, saved?: unknown): KeyWindows {
    const { shape } = this.#plan
    return shape.kind === 'aligned'
      ? new AlignedWindows(key, this.#context, shape, saved)
      : new SessionWindows(key, this.#context, shape, saved)
  }

  #enter(key: string, order: number, windows: KeyWindows): KeyEntry {
    const kept = this.#plan.keep > 0 ? { key, due: Infinity, order, place: NOT_QUEUED } : undefined
    const entry: KeyEntry = { key, windows, due: Infinity, order, place: NOT_QUEUED, kept, size: 0, oldest: Infinity }
    this.#keys.set(key, entry)
    return entry
  }

  /** @throws BOUND_EXCEEDED */
  #hasRoom(key: string): boolean {
    const { keys: most, policy } = this.#plan.limits
    if (this.#keys.size < most) return true
    if (!this.#tally.drops.makeRoom(policy, 'keys', most, key)) return false
    const [oldest] = this.#keys.values()
    if (oldest !== undefined) this.#remove(oldest)
    return true
  }

  #remove(entry: KeyEntry): void {
    this.#keys.delete(entry.key)
    this.#size -= entry.size
    this.#moveOldest(entry.oldest, Infinity)
    if (entry.place !== NOT_QUEUED) this.#due.remove(entry)
    if (entry.kept !== undefined && entry.kept.place !== NOT_QUEUED) this.#kept.remove(entry.kept)
  }

  /** Windows of a key have changed. */
  #settle(entry: KeyEntry): void {
    const { windows, kept } = entry
    const { size, oldest } = windows
    this.#size += size - entry.size
    this.#moveOldest(entry.oldest, oldest)
    entry.size = size
    entry.oldest = oldest
    if (size === 0) return this.#remove(entry)
    queue(this.#due, entry, windows.deadline)
    if (kept !== undefined) queue(this.#kept, kept, windows.forgetAt)
  }

  #moveOldest(from: number, to: number): void {
    if (this.#oldest === undefined) return
    if (to <= this.#oldest) this.#oldest = to
    else if (from === this.#oldest) this.#oldest = undefined
  }

  /** The key whose result comes next, queued at its time. */
  #next(): KeyEntry | undefined {
    for (;;) {
      const { first } = this.#due
      if (first === undefined || first.due === first.windows.deadline) return first
      this.#due.remove(first)
      queue(this.#due, first, first.windows.deadline)
    }
  }
}

/** Makes sure that an item is queued at `due` or before: one that has become later is moved when it comes first. */
function queue<T extends Queued>(heap: EarliestHeap<T>, item: T, due: number): void {
  if (item.place !== NOT_QUEUED) {
    if (due >= item.due) return
    heap.remove(item)
  }
  if (due === Infinity) return
  item.due = due
  heap.add(item)
}
