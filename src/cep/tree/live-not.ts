import { Live, type Glimpse, type Ground, type Parent } from './live.js'
import type { NotPlan } from './plan.js'
import type { Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

/** True from its start until its part comes. */
export class LiveNot extends Live {
  readonly plan: NotPlan
  /** None once it can come no more: then this is true for good. */
  #part: Live | null

  constructor(plan: NotPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
    this.#part = plan.part.make(this, ground)
  }

  start(begin: Taken | null): void {
    this.begin = begin
    this.#part?.start(begin)
    if (!this.dead) this.parent.came(this, begin, false)
  }

  came(part: Live, taken: Taken | null): void {
    if (this.dead) return
    this.dead = true
    part.quit()
    const { parent } = this
    if (taken !== null && parent instanceof Live)
      this.ground.ended(parent, { kind: 'forbidden', stage: this.plan.shown, event: taken.event })
    parent.failed(this)
  }

  failed(): void {
    this.#part = null
  }

  quit(): void {
    if (this.dead) return
    this.dead = true
    this.#part?.quit()
  }

  readonly due = Infinity

  get endsBy(): number {
    return this.#part?.due ?? Infinity
  }

  get isFresh(): boolean {
    return this.#part?.isFresh === true
  }

  write(writer: StateWriter): unknown {
    return [writer.taken(this.begin), this.#part === null ? null : this.#part.write(writer)]
  }

  read(state: unknown, reader: StateReader): void {
    const [begin, part] = state as [number, unknown]
    this.begin = reader.taken(begin)
    if (part === null) this.#part = null
    else this.#part?.read(part, reader)
  }

  glimpses(): Glimpse[] {
    return []
  }
}
