import { Live, type Glimpse, type Ground, type Parent } from './live.js'
import type { PartsPlan } from './plan.js'
import { takenSince, type Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

interface Stage {
  readonly index: number
  readonly begin: Taken | null
}

/** One part after the other. A part that comes several times begins the next one as often. */
export class LiveSeq extends Live {
  readonly plan: PartsPlan
  readonly #stages = new Map<Live, Stage>()

  constructor(plan: PartsPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
  }

  start(begin: Taken | null): void {
    this.begin = begin
    this.#next(0, begin)
  }

  came(part: Live, taken: Taken | null, over: boolean): void {
    const index = this.#stages.get(part)?.index
    if (this.dead || index === undefined) return
    if (over) this.#stages.delete(part)
    if (index < this.plan.parts.length - 1) {
      this.#next(index + 1, taken)
      return
    }
    const ends = this.#stages.size === 0
    if (ends) this.dead = true
    this.parent.came(this, taken, ends)
  }

  failed(part: Live): void {
    this.#stages.delete(part)
    this.#failWhenEmpty()
  }

  #failWhenEmpty(): void {
    if (this.#stages.size > 0 || this.dead) return
    this.dead = true
    this.parent.failed(this)
  }

  #next(index: number, taken: Taken | null): void {
    const part = this.#make(index, taken)
    part.start(taken)
    if (this.dead || this.#stages.size < 2 || !this.#stages.has(part)) return
    const over = this.ground.overfull()
    if (over === 'no') return
    const gone = over === 'newest' ? part : this.#oldestNext(part)
    this.ground.dropped(gone)
    this.#stages.delete(gone)
    gone.quit()
    this.#failWhenEmpty()
  }

  /** The first part keeps its place: it is what brings new ones. */
  #oldestNext(otherwise: Live): Live {
    for (const [part, { index }] of this.#stages) if (index > 0) return part
    return otherwise
  }

  #make(index: number, begin: Taken | null): Live {
    const part = (this.plan.parts[index] as PartsPlan).make(this, this.ground)
    this.#stages.set(part, { index, begin })
    return part
  }

  quit(): void {
    if (this.dead) return
    this.dead = true
    for (const part of this.#stages.keys()) part.quit()
  }

  get due(): number {
    let due = Infinity
    for (const [part, { index }] of this.#stages) due = Math.min(due, part.due + (this.plan.idleAfter[index] as number))
    return due
  }

  /** Each way may go on with its next part instead, which only puts its end off. */
  get endsBy(): number {
    let end = -Infinity
    for (const part of this.#stages.keys()) end = Math.max(end, Math.min(part.endsBy, part.due))
    return end
  }

  /** Never when the first part comes as it begins: what that began would be begun again. */
  get isFresh(): boolean {
    if (this.plan.parts[0]?.idle === 0) return false
    const [first] = this.#stages
    return this.#stages.size === 1 && first !== undefined && first[1].index === 0 && first[0].isFresh
  }

  write(writer: StateWriter): unknown {
    const stages = Array.from(this.#stages, ([part, { index, begin }]) => [
      index,
      writer.taken(begin),
      part.write(writer),
    ])
    return [writer.taken(this.begin), stages]
  }

  read(state: unknown, reader: StateReader): void {
    const [begin, stages] = state as [number, [number, number, unknown][]]
    this.begin = reader.taken(begin)
    for (const [index, before, part] of stages) this.#make(index, reader.taken(before)).read(part, reader)
  }

  glimpses(): Glimpse[] {
    return Array.from(this.#stages).flatMap(([part, { begin }]) => {
      const before = takenSince(begin, this.begin)
      return part.glimpses().map((g) => ({ ...g, taken: [...before, ...g.taken] }))
    })
  }
}
