import { Live, type Glimpse, type Ground, type Parent, type Timer } from './live.js'
import type { IntervalPlan, WithinPlan } from './plan.js'
import type { Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

/** Comes when its time has passed. */
export class LiveInterval extends Live implements Timer {
  readonly plan: IntervalPlan
  time = 0
  /** -1: it has not begun. */
  order = -1
  readonly endsBy = Infinity
  readonly isFresh = false

  constructor(plan: IntervalPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
  }

  start(begin: Taken | null): void {
    if (this.plan.ms === 0) {
      this.dead = true
      this.parent.came(this, begin, true)
      return
    }
    this.begin = begin
    this.time = this.ground.now + this.plan.ms
    this.order = this.ground.nextOrder()
    this.ground.set(this)
    this.ground.hold(1)
  }

  fire(): void {
    this.dead = true
    this.ground.hold(-1)
    this.parent.came(this, this.begin, true)
  }

  quit(): void {
    if (this.dead) return
    this.dead = true
    if (this.order < 0) return
    this.ground.cancel(this)
    this.ground.hold(-1)
  }

  get due(): number {
    return this.time
  }

  write(writer: StateWriter): unknown {
    return [writer.taken(this.begin), this.time, this.order]
  }

  read(state: unknown, reader: StateReader): void {
    const [begin, time, order] = state as [number, number, number]
    this.begin = reader.taken(begin)
    this.time = time
    this.order = order
    this.ground.set(this)
    this.ground.hold(1)
  }

  glimpses(): Glimpse[] {
    return [{ taken: [], waitsFor: [`${this.plan.ms} ms to pass`], until: Infinity }]
  }
}

/** Lets its part come until its time has passed. */
export class LiveWithin extends Live implements Timer {
  readonly plan: WithinPlan
  time = 0
  /** -1: it has not begun. */
  order = -1
  readonly isFresh = false
  readonly #part: Live

  constructor(plan: WithinPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
    this.#part = plan.part.make(this, ground)
  }

  /** Its timer is set before those of its part: what comes at the very end comes too late. */
  start(begin: Taken | null): void {
    this.begin = begin
    this.time = this.ground.now + this.plan.ms
    this.order = this.ground.nextOrder()
    this.ground.set(this)
    this.#part.start(begin)
  }

  came(_: Live, taken: Taken | null, over: boolean): void {
    if (this.dead) return
    if (over) this.#end()
    this.parent.came(this, taken, over)
  }

  failed(): void {
    if (this.dead) return
    this.#end()
    this.parent.failed(this)
  }

  fire(): void {
    this.ground.ended(this, { kind: 'window' })
    this.dead = true
    this.#part.quit()
    this.parent.failed(this)
  }

  quit(): void {
    if (this.dead) return
    this.#end()
    this.#part.quit()
  }

  #end(): void {
    this.dead = true
    if (this.order >= 0) this.ground.cancel(this)
  }

  get due(): number {
    const { due } = this.#part
    return due < this.time ? due : Infinity
  }

  get endsBy(): number {
    return Math.min(this.time, this.#part.endsBy)
  }

  write(writer: StateWriter): unknown {
    return [writer.taken(this.begin), this.time, this.order, this.#part.write(writer)]
  }

  read(state: unknown, reader: StateReader): void {
    const [begin, time, order, part] = state as [number, number, number, unknown]
    this.begin = reader.taken(begin)
    this.time = time
    this.order = order
    this.ground.set(this)
    this.#part.read(part, reader)
  }

  glimpses(): Glimpse[] {
    return this.#part.glimpses().map((g) => ({ ...g, until: Math.min(g.until, this.time) }))
  }
}
