import { Live, type Glimpse, type Ground, type Parent } from './live.js'
import type { PartsPlan } from './plan.js'
import type { Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

/** Any of its parts. */
export class LiveOr extends Live {
  readonly plan: PartsPlan
  readonly #parts: (Live | null)[]

  constructor(plan: PartsPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
    this.#parts = plan.parts.map((part) => part.make(this, ground))
  }

  start(begin: Taken | null): void {
    this.begin = begin
    for (const part of this.#parts) {
      if (this.dead) return
      part?.start(begin)
    }
  }

  came(part: Live, taken: Taken | null, over: boolean): void {
    const at = this.#parts.indexOf(part)
    if (this.dead || at === -1) return
    if (over) {
      this.#parts[at] = null
      this.quit()
    }
    this.parent.came(this, taken, over)
  }

  failed(part: Live): void {
    const at = this.#parts.indexOf(part)
    if (this.dead || at === -1) return
    this.#parts[at] = null
    if (this.#parts.some((each) => each !== null)) return
    this.dead = true
    this.parent.failed(this)
  }

  quit(): void {
    if (this.dead) return
    this.dead = true
    for (const part of this.#parts) part?.quit()
  }

  get due(): number {
    return this.#parts.reduce((due, part) => Math.min(due, part?.due ?? Infinity), Infinity)
  }

  get endsBy(): number {
    return this.#parts.reduce((end, part) => Math.max(end, part?.endsBy ?? -Infinity), -Infinity)
  }

  get isFresh(): boolean {
    return this.#parts.every((part) => part?.isFresh === true)
  }

  write(writer: StateWriter): unknown {
    return [writer.taken(this.begin), this.#parts.map((part) => (part === null ? null : part.write(writer)))]
  }

  read(state: unknown, reader: StateReader): void {
    const [begin, parts] = state as [number, unknown[]]
    this.begin = reader.taken(begin)
    for (const [index, part] of parts.entries())
      if (part === null) this.#parts[index] = null
      else this.#parts[index]?.read(part, reader)
  }

  /** Parts that have taken nothing are shown as one. */
  glimpses(): Glimpse[] {
    const all = this.#parts.flatMap((part) => part?.glimpses() ?? [])
    const begun = all.filter(({ taken }) => taken.length > 0)
    const rest = all.filter(({ taken }) => taken.length === 0)
    if (rest.length === 0) return begun
    const until = Math.min(...rest.map((g) => g.until))
    return [...begun, { taken: [], waitsFor: rest.flatMap((g) => g.waitsFor), until }]
  }
}
