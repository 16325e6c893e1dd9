import { Live, type Glimpse, type Ground, type Parent } from './live.js'
import type { UntilPlan } from './plan.js'
import { append, takenSince, type Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

/** Its part again and again, until the end comes or there are enough. Also `repeat`, which has no end. */
export class LiveUntil extends Live {
  readonly plan: UntilPlan
  #end: Live | null
  #part: Live | null
  /** What was taken so far. */
  #all: Taken | null = null
  /** What was taken before the running part began. */
  #before: Taken | null = null
  #count = 0
  #held = 0

  constructor(plan: UntilPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
    this.#end = plan.end?.make(this, ground) ?? null
    this.#part = plan.part.make(this, ground)
  }

  /** The end begins first: an event that it shares with the part is the end's. */
  start(begin: Taken | null): void {
    this.begin = begin
    this.#all = begin
    this.#before = begin
    this.#end?.start(begin)
    if (!this.dead) this.#part?.start(begin)
  }

  came(part: Live, taken: Taken | null, over: boolean): void {
    if (this.dead || (part !== this.#end && part !== this.#part)) return
    if (part === this.#end) {
      if (over) this.#end = null
      this.quit()
      if (this.#count < this.plan.min) this.parent.failed(this)
      else this.parent.came(this, append(this.#all, takenSince(taken, this.begin)), true)
      return
    }
    if (over) this.#part = null
    this.#count++
    this.#collect(taken)
    const { min, max } = this.plan
    if (max !== null && min === max && this.#count === max) {
      this.quit()
      this.parent.came(this, this.#all, true)
    } else if (max === null || this.#count < max) this.#again()
    else {
      this.#part?.quit()
      this.#part = null
    }
  }

  #collect(taken: Taken | null): void {
    const own = takenSince(taken, this.#before)
    const before = this.#all
    this.#all = before === this.#before ? taken : append(before, own)
    this.#hold(own.length)
    if (this.#count < 2 || this.ground.overfull() === 'no') return
    // What is collected is one chain from its beginning: without room, what has come last is not in it.
    this.ground.dropped(null)
    this.#hold(-own.length)
    this.#all = before
  }

  #again(): void {
    if (this.#part !== null) return
    this.#part = this.plan.part.make(this, this.ground)
    this.#before = this.#all
    this.#part.start(this.#all)
  }

  #hold(by: number): void {
    this.#held += by
    this.ground.hold(by)
  }

  failed(part: Live): void {
    if (part === this.#end) this.#end = null
    else this.#part = null
    if (this.dead) return
    this.quit()
    this.parent.failed(this)
  }

  quit(): void {
    if (this.dead) return
    this.dead = true
    this.#end?.quit()
    this.#part?.quit()
    this.#hold(-this.#held)
  }

  get due(): number {
    const { min, max } = this.plan
    const end = this.#end?.due ?? Infinity
    const part = this.#part?.due ?? Infinity
    const left = min - this.#count
    const { idle, repeats } = this.plan.part
    // one that goes on after it came may come again at any time
    const enough = left > 0 ? part + times(left - 1, repeats ? 0 : idle) : -Infinity
    if (enough > end) return Infinity
    return min === max ? enough : end
  }

  get endsBy(): number {
    const short = this.#count < this.plan.min ? (this.#end?.due ?? Infinity) : Infinity
    return Math.min(short, this.#end?.endsBy ?? Infinity, this.#part?.endsBy ?? Infinity)
  }

  get isFresh(): boolean {
    return this.#count === 0 && this.#end?.isFresh !== false && this.#part?.isFresh === true
  }

  write(writer: StateWriter): unknown {
    const end = this.#end === null ? null : [this.#end.write(writer)]
    const part = this.#part === null ? null : [this.#part.write(writer)]
    const chains = [this.begin, this.#all, this.#before].map((taken) => writer.taken(taken))
    return [this.#count, this.#held, chains, end, part]
  }

  read(state: unknown, reader: StateReader): void {
    const [count, held, chains, end, part] = state as [number, number, number[], [unknown] | null, [unknown] | null]
    this.#count = count
    this.#hold(held)
    const [begin, all, before] = chains.map((index) => reader.taken(index))
    this.begin = begin ?? null
    this.#all = all ?? null
    this.#before = before ?? null
    if (end === null) this.#end = null
    else this.#end?.read(end[0], reader)
    if (part === null) this.#part = null
    else this.#part?.read(part[0], reader)
  }

  glimpses(): Glimpse[] {
    const inside = [...(this.#part?.glimpses() ?? []), ...(this.#end?.glimpses() ?? [])]
    const taken = [...takenSince(this.#all, this.begin), ...inside.flatMap((g) => g.taken)]
    const until = inside.reduce((time, g) => Math.min(time, g.until), Infinity)
    return [{ taken, waitsFor: inside.flatMap((g) => g.waitsFor), until }]
  }
}

/** So often that long; nothing takes no time, also when once would take for ever. */
function times(count: number, ms: number): number {
  return count === 0 ? 0 : count * ms
}
