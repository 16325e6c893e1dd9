import type { StoredEvent } from '../../event/event.js'
import { Live, type Glimpse, type Ground, type Parent, type Waiting } from './live.js'
import type { FilterPlan } from './plan.js'
import type { Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

/** Waits for one event. Whoever shows it an event has asked its condition. */
export class LiveFilter extends Live implements Waiting {
  readonly plan: FilterPlan
  /** -1: it has not begun. */
  order = -1
  readonly due = Infinity
  readonly endsBy = Infinity
  readonly isFresh = true

  constructor(plan: FilterPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
  }

  start(begin: Taken | null): void {
    this.begin = begin
    this.order = this.ground.nextOrder()
    this.ground.wait(this)
  }

  take(event: StoredEvent, at: number): void {
    this.quit()
    this.parent.came(this, { before: this.begin, event, tag: this.plan.tag, at, bound: null }, true)
  }

  quit(): void {
    if (this.dead) return
    this.dead = true
    if (this.order >= 0) this.ground.leave(this)
  }

  write(writer: StateWriter): unknown {
    return [writer.taken(this.begin), this.order]
  }

  read(state: unknown, reader: StateReader): void {
    const [begin, order] = state as [number, number]
    this.begin = reader.taken(begin)
    this.order = order
    this.ground.wait(this)
  }

  glimpses(): Glimpse[] {
    return [{ taken: [], waitsFor: [this.plan.shown], until: Infinity }]
  }
}
