// Panes
//
// The slices of one key that have events, in order of time, and what they come to together.
//
// A window is the merge of its slices. Merging them anew for each window would cost as many merges as a window has
// slices; instead two stacks are kept (as for a queue of two stacks; Tangwongsan, Hirzel, Schneider, DEBS 2017): for the
// older slices what each comes to with those after it up to `split`, for the newer what they come to from there. A window
// is then one merge of the two, and each slice is merged a constant number of times while it is there.
//
// Invariants (tests cite them):
//   W1  Every merge is made in order of time, and which merges are made follows from the slices, `split` and `backTo`
//       alone: restored, the same merges are made, to the last bit.
import type { StoredEvent } from '../../event/event.js'
import type { EvaluationErrors } from '../engine/evaluation-errors.js'
import type { Accumulators, Part, SavedPart } from './part.js'
import type { Span } from './window-shape.js'

/** As data: the slices, split and backTo. */
export type SavedPanes = readonly [panes: readonly SavedPart[], split: number, backTo: number]

/** For so few slices stacks do not pay. */
const FEW = 4

export class Panes {
  readonly #with: Accumulators
  readonly #panes: Part[]
  /** What each slice before the split comes to with those after it, up to the split; empty: to be made. */
  #front: (Part | undefined)[] = []
  /** What the slices from the split to `backTo` come to; undefined: to be made, or there are none. */
  #back: Part | undefined = undefined
  /** -1: there are no stacks. */
  #split = -1
  #backTo = -1

  constructor(accumulators: Accumulators, saved?: SavedPanes) {
    this.#with = accumulators
    this.#panes = saved === undefined ? [] : saved[0].map((part) => accumulators.load(part))
    if (saved === undefined) return
    this.#split = saved[1]
    this.#backTo = saved[2]
  }

  get length(): number {
    return this.#panes.length
  }

  get oldest(): Part | undefined {
    return this.#panes[0]
  }

  /** Whether there is a slice that begins at `start`. */
  has(start: number): boolean {
    return this.#panes[this.#from(start)]?.start === start
  }

  /** The first slice that begins at `start` or later. */
  firstFrom(start: number): Part | undefined {
    return this.#panes[this.#from(start)]
  }

  add({ start, end }: Span, event: StoredEvent, errors: EvaluationErrors): void {
    const panes = this.#panes
    const newest = panes.at(-1)
    const at = newest === undefined || start > newest.start ? panes.length : this.#from(start)
    if (at < this.#backTo) this.#forgetStacks()
    const pane = panes[at]
    if (pane?.start === start) this.#with.add(pane, event, errors)
    else panes.splice(at, 0, this.#with.open(start, end, event, errors))
  }

  /** The slices of a window together; undefined of none. @param closed slices that end later may still change */
  merged({ start, end }: Span, closed: number): Part | undefined {
    const panes = this.#panes
    const from = this.#from(start)
    const to = this.#from(end)
    if (from === to) return undefined
    if (to - from <= FEW) return this.#mergeOneByOne(from, to)
    let until = to
    while (until > from && (panes[until - 1] as Part).end > closed) until--
    const whole = until > from ? this.#stacked(from, until) : this.#with.copy(panes[until++] as Part)
    for (let at = until; at < to; at++) this.#with.merge(whole, panes[at] as Part)
    return whole
  }

  /** As `merged`, of a window that is past: without the stacks, which go on. */
  mergedAlone({ start, end }: Span): Part | undefined {
    const [from, to] = [this.#from(start), this.#from(end)]
    return from === to ? undefined : this.#mergeOneByOne(from, to)
  }

  /** Takes out the first `count` slices. */
  drop(count: number): void {
    if (count === 0) return
    this.#panes.splice(0, count)
    this.#front.splice(0, count)
    this.#split -= count
    this.#backTo -= count
    if (this.#split <= 0) this.#forgetStacks()
  }

  /** Slices whose start satisfies the condition, from the first on. */
  countWhile(holds: (start: number) => boolean): number {
    let count = 0
    while (count < this.#panes.length && holds((this.#panes[count] as Part).start)) count++
    return count
  }

  save(): SavedPanes {
    return [this.#panes.map((pane) => this.#with.save(pane)), this.#split, this.#backTo]
  }

  #mergeOneByOne(from: number, to: number): Part {
    const first = this.#panes[from] as Part
    if (to - from === 1) return first
    const whole = this.#with.copy(first)
    for (let at = from + 1; at < to; at++) this.#with.merge(whole, this.#panes[at] as Part)
    return whole
  }

  #stacked(from: number, until: number): Part {
    if (this.#split <= from || this.#split > until || this.#backTo > until) {
      this.#split = this.#backTo = until
      this.#front = []
      this.#back = undefined
    }
    if (this.#front[from] === undefined) this.#makeStacks(from)
    while (this.#backTo < until) this.#extendBack(this.#panes[this.#backTo++] as Part)
    const whole = this.#with.copy(this.#front[from] as Part)
    return this.#back === undefined ? whole : this.#with.merge(whole, this.#back)
  }

  /** From `split` and `backTo`, which are right. */
  #makeStacks(from: number): void {
    const panes = this.#panes
    this.#front = Array.from({ length: this.#split }, () => undefined)
    for (let at = this.#split - 1; at >= from; at--) {
      const own = this.#with.copy(panes[at] as Part)
      const after = this.#front[at + 1]
      this.#front[at] = after === undefined ? own : this.#with.merge(own, after)
    }
    this.#back = undefined
    for (let at = this.#split; at < this.#backTo; at++) this.#extendBack(panes[at] as Part)
  }

  #extendBack(pane: Part): void {
    if (this.#back === undefined) this.#back = this.#with.copy(pane)
    else this.#with.merge(this.#back, pane)
  }

  #forgetStacks(): void {
    this.#split = this.#backTo = -1
    this.#front = []
    this.#back = undefined
  }

  /** Index of the first slice that begins at `start` or later. */
  #from(start: number): number {
    const panes = this.#panes
    let [low, high] = [0, panes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((panes[middle] as Part).start < start) low = middle + 1
      else high = middle
    }
    return low
  }
}
