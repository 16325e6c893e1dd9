import { Live, type Glimpse, type Ground, type Parent } from './live.js'
import type { EveryPlan } from './plan.js'
import type { Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

/** Begins its part anew each time that it came, beside the one that came when that goes on, and when it is false for good. */
export class LiveEvery extends Live {
  readonly plan: EveryPlan
  readonly #copies = new Set<Live>()
  /** The copy that begins right now: what it says at once does not count, else it would go on for ever. */
  #starting: Live | null = null
  #spoke = false

  constructor(plan: EveryPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
  }

  start(begin: Taken | null): void {
    this.begin = begin
    this.#spawn()
  }

  came(part: Live, taken: Taken | null, over: boolean): void {
    if (part === this.#starting) {
      this.#spoke = true
      return
    }
    if (this.dead || !this.#copies.has(part)) return
    if (over) this.#copies.delete(part)
    this.#spawn()
    this.parent.came(this, taken, false)
  }

  failed(part: Live): void {
    if (part === this.#starting) {
      this.#spoke = true
      return
    }
    if (this.dead || !this.#copies.delete(part)) return
    this.#spawn()
  }

  #spawn(): void {
    const copy = this.plan.part.make(this, this.ground)
    this.#starting = copy
    this.#spoke = false
    copy.start(this.begin)
    this.#starting = null
    if (this.#spoke) {
      copy.quit()
      return
    }
    this.#copies.add(copy)
    if (this.#copies.size > 1) this.#bound(copy)
  }

  /** A part that multiplies is held to what a key may have. */
  #bound(newest: Live): void {
    const over = this.ground.overfull()
    if (over === 'no') return
    const [oldest] = this.#copies
    const gone = over === 'newest' || oldest === undefined ? newest : oldest
    this.ground.dropped(gone)
    this.#copies.delete(gone)
    gone.quit()
  }

  quit(): void {
    if (this.dead) return
    this.dead = true
    for (const copy of this.#copies) copy.quit()
  }

  get due(): number {
    const { idle } = this.plan.part
    let due = Infinity
    for (const copy of this.#copies) due = Math.min(due, copy.due, idle === 0 ? Infinity : copy.endsBy + idle)
    return due
  }

  readonly endsBy = Infinity

  get isFresh(): boolean {
    const [copy] = this.#copies
    return this.#copies.size === 1 && copy !== undefined && copy.isFresh
  }

  write(writer: StateWriter): unknown {
    return [writer.taken(this.begin), Array.from(this.#copies, (copy) => copy.write(writer))]
  }

  read(state: unknown, reader: StateReader): void {
    const [begin, copies] = state as [number, unknown[]]
    this.begin = reader.taken(begin)
    for (const each of copies) {
      const copy = this.plan.part.make(this, this.ground)
      this.#copies.add(copy)
      copy.read(each, reader)
    }
  }

  glimpses(): Glimpse[] {
    return Array.from(this.#copies).flatMap((copy) => copy.glimpses())
  }
}
