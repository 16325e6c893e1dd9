import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { KeySets, Passage } from './key-sets.js'
import { LazyMatch, type Completion, type Step } from './lazy-found.js'
import { Paths } from './paths.js'
import type { Position, Positions, Transition } from './position.js'
import type { Taken } from './taken.js'

/**
 * Puts out the matches that an event completes. First everything is marked from which one gets to the event, backwards;
 * then the paths are walked from their beginnings through what is marked only: each path is a match. What exceeds the
 * bound is counted, not walked.
 */
export class CompletedPaths extends Paths {
  readonly #out: Collector
  readonly #marked: Taken[] = []
  readonly #roots: Taken[] = []
  /** Up to here, all of a position's list is marked. */
  readonly #markedTo: number[]
  /** For each transition, from where on its event completes; Infinity: it does not. */
  readonly #from: number[]
  /** For each transition by which its event completes, what all those matches have. */
  readonly #ends: Completion[] = []
  #search = 0
  #put = 0

  constructor(positions: Positions, out: Collector) {
    super(positions)
    this.#out = out
    this.#markedTo = positions.positions.map(() => 0)
    this.#from = positions.transitions.map(() => Infinity)
  }

  /** @param finals passages to positions where a match may end */
  putOut(sets: KeySets, event: StoredEvent, finals: readonly Passage[]): void {
    this.sets = sets
    this.#put = 0
    this.#mark(finals)
    for (const { transition, lo } of finals) {
      this.#from[transition.index] = lo
      this.#ends[transition.index] = { key: sets.key, event, stage: transition.to.stage.name }
    }
    for (const taken of this.#roots) if (!this.walk(taken)) break
    for (const { transition } of finals) this.#from[transition.index] = Infinity
    if (this.#out.isFull) {
      const rest = this.#count(finals) - this.#put
      if (rest > 0) this.#out.drop(rest)
    }
  }

  protected wants(taken: Taken): boolean {
    return taken.mark === this.#search
  }

  protected leave(taken: Taken, before: Step | null): boolean | 'stop' {
    const { out } = taken.position
    for (let way = 0; way < out.length; way++) {
      const { index } = out[way] as Transition
      if (taken.index < (this.#from[index] as number)) continue
      if (this.#out.isFull) return 'stop'
      this.#out.match(new LazyMatch(this.#ends[index] as Completion, taken, before))
      this.#put++
    }
    return true
  }

  protected inVain(): void {}

  #mark(finals: readonly Passage[]): void {
    this.#search++
    this.#marked.length = 0
    this.#roots.length = 0
    this.lo.fill(Infinity)
    this.hi.fill(0)
    this.#markedTo.fill(0)
    for (const { transition, lo, hi } of finals) this.#markRange(transition.from, lo, hi)
    for (let next = 0; next < this.#marked.length; next++) {
      const { ranges, position } = this.#marked[next] as Taken
      for (let door = 0; door < position.into.length; door++)
        this.#markRange(
          (position.into[door] as Transition).from,
          ranges[door * 2] as number,
          ranges[door * 2 + 1] as number,
        )
    }
    const roots = this.#roots
    for (let at = 1; at < roots.length; at++)
      if (inOrder(roots[at - 1] as Taken, roots[at] as Taken) > 0) {
        roots.sort(inOrder)
        break
      }
  }

  #markRange(position: Position, lo: number, hi: number): void {
    if (lo >= hi) return
    const list = this.sets.list(position)
    const at = position.index
    const known = this.#markedTo[at] as number
    const from = Math.max(lo, list.first, known)
    if (lo <= Math.max(list.first, known) && hi > known) this.#markedTo[at] = hi
    for (let index = from; index < hi; index++) {
      const taken = list.get(index)
      if (taken.mark === this.#search || taken.newest <= this.sets.over) continue
      taken.mark = this.#search
      this.#marked.push(taken)
      if (taken.begins) this.#roots.push(taken)
    }
    if (from >= hi) return
    this.lo[at] = Math.min(this.lo[at] as number, from)
    this.hi[at] = Math.max(this.hi[at] as number, hi)
  }

  /** How many matches there are: for each that is marked, in how many ways it is reached. */
  #count(finals: readonly Passage[]): number {
    this.#marked.sort(inOrder)
    for (const taken of this.#marked) {
      const { position } = taken
      taken.ways = taken.begins ? 1 : 0
      for (let door = 0; door < position.into.length; door++)
        taken.ways += this.#sum(
          (position.into[door] as Transition).from,
          taken.ranges[door * 2] as number,
          taken.ranges[door * 2 + 1] as number,
        )
    }
    return finals.reduce((sum, { transition, lo, hi }) => sum + this.#sum(transition.from, lo, hi), 0)
  }

  #sum(position: Position, lo: number, hi: number): number {
    const list = this.sets.list(position)
    let sum = 0
    for (let index = Math.max(lo, list.first); index < hi; index++) {
      const taken = list.get(index)
      if (taken.mark === this.#search) sum += taken.ways
    }
    return sum
  }
}

function inOrder(a: Taken, b: Taken): number {
  return a.at - b.at || a.position.index - b.position.index
}
