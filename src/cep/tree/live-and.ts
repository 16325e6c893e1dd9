import { Live, type Glimpse, type Ground, type Parent } from './live.js'
import type { PartsPlan } from './plan.js'
import { append, takenSince, type Taken } from './taken.js'
import type { StateReader, StateWriter } from './tree-state.js'

/** What a part took by itself, for each time that it came. */
type Own = readonly Taken[]

/** All of its parts, side by side. */
export class LiveAnd extends Live {
  readonly plan: PartsPlan
  readonly #parts: (Live | null)[]
  readonly #had: Own[][]

  constructor(plan: PartsPlan, parent: Parent, ground: Ground) {
    super(parent, ground)
    this.plan = plan
    this.#parts = plan.parts.map((part) => part.make(this, ground))
    this.#had = plan.parts.map(() => [])
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
    if (over) this.#parts[at] = null
    const own = takenSince(taken, this.begin)
    const all = this.#had.every((had, index) => index === at || had.length > 0)
    const ends = all && !this.#someGoOn()
    const combined = all ? this.#combinations(at, own) : []
    if (ends) this.quit()
    else this.#keep(at, own)
    for (const [index, each] of combined.entries()) this.parent.came(this, each, ends && index === combined.length - 1)
  }

  /** What one part took, with everything that each of the others had. Events in the order in which they came. */
  #combinations(at: number, own: Own): (Taken | null)[] {
    const { most } = this.ground
    let rows: Own[] = [[]]
    let all = 1
    for (const [index, list] of this.#had.entries()) {
      const choices = index === at ? [own] : list
      all *= choices.length
      const longer: Own[] = []
      for (const row of rows) for (const each of choices) if (longer.length < most) longer.push([...row, ...each])
      rows = longer
    }
    if (all > rows.length) this.ground.dropMatches(all - rows.length)
    return rows.map((row) =>
      append(
        this.begin,
        row.toSorted((a, b) => a.at - b.at),
      ),
    )
  }

  /** Kept as long as another part can still come, to be combined with it. */
  #keep(at: number, own: Own): void {
    const had = this.#had[at] as Own[]
    if (this.#parts[at]?.plan.kind === 'not') {
      had[0] = own
      return
    }
    if (had.length > 0 && !this.#someGoOn(at)) return
    had.push(own)
    this.ground.hold(1)
    if (had.length < 2) return
    const over = this.ground.overfull()
    if (over === 'no') return
    this.ground.dropped(null)
    this.ground.hold(-1)
    if (over === 'newest') had.pop()
    else had.shift()
  }

  /** Whether a part, but this one, can still come. A `not` came when it began. */
  #someGoOn(but = -1): boolean {
    return this.#parts.some((part, index) => part !== null && index !== but && part.plan.kind !== 'not')
  }

  failed(part: Live): void {
    const at = this.#parts.indexOf(part)
    if (this.dead || at === -1) return
    this.#parts[at] = null
    this.quit()
    this.parent.failed(this)
  }

  quit(): void {
    if (this.dead) return
    this.dead = true
    for (const part of this.#parts) part?.quit()
    this.ground.hold(-this.#kept())
  }

  #kept(): number {
    return this.#had.reduce((n, had, at) => n + (this.plan.parts[at]?.kind === 'not' ? 0 : had.length), 0)
  }

  /** When the last of those that are missing comes, or any, when none is missing. */
  get due(): number {
    const comes = this.#parts.map((part) => part?.due ?? Infinity)
    const missing = comes.filter((_, at) => this.#had[at]?.length === 0)
    const due = missing.length > 0 ? Math.max(...missing) : Math.min(...comes)
    return this.#parts.some((part) => part?.plan.kind === 'not' && part.endsBy < due) ? Infinity : due
  }

  get endsBy(): number {
    return this.#parts.reduce((end, part) => Math.min(end, part?.endsBy ?? Infinity), Infinity)
  }

  get isFresh(): boolean {
    return this.#kept() === 0 && this.#parts.every((part) => part?.isFresh === true)
  }

  write(writer: StateWriter): unknown {
    const parts = this.#parts.map((part) => (part === null ? null : [part.write(writer)]))
    const had = this.#had.map((list) => list.map((own) => own.map((t) => writer.taken({ ...t, before: null }))))
    return [writer.taken(this.begin), parts, had]
  }

  read(state: unknown, reader: StateReader): void {
    const [begin, parts, had] = state as [number, ([unknown] | null)[], number[][][]]
    this.begin = reader.taken(begin)
    for (const [at, list] of had.entries())
      this.#had[at] = list.map((own) => own.map((index) => reader.taken(index)).filter((t) => t !== null))
    for (const [at, part] of parts.entries())
      if (part === null) this.#parts[at] = null
      else this.#parts[at]?.read(part[0], reader)
    this.ground.hold(this.#kept())
  }

  glimpses(): Glimpse[] {
    const missing = this.#parts.filter((_, at) => this.#had[at]?.length === 0)
    const inside = (missing.length > 0 ? missing : this.#parts).flatMap((part) => part?.glimpses() ?? [])
    const taken = [...this.#had.flat(2), ...inside.flatMap((g) => g.taken)].sort((a, b) => a.at - b.at)
    const until = inside.reduce((time, g) => Math.min(time, g.until), Infinity)
    return [{ taken, waitsFor: inside.flatMap((g) => g.waitsFor), until }]
  }
}
