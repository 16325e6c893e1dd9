import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { KeySets, Passage } from './key-sets.js'
import { LazyMatch, type Completion, type Step } from './lazy-found.js'
import { Scratch } from './scratch.js'
import { Paths } from './paths.js'
import type { Position, Positions, Transition } from './position.js'
import type { Taken, TakenList } from './taken.js'

// Numbers beside indexes are small integers too: a list with one that is not is slower to read.
const NEVER = -1

/**
 * Puts out the matches that an event completes. First everything is marked from which one gets to the event, backwards;
 * then the paths are walked from their beginnings through what is marked only: each path is a match. What exceeds the
 * bound is counted, not walked.
 */
export class CompletedPaths extends Paths {
  readonly #out: Collector
  readonly #marked = new Scratch<Taken>()
  readonly #roots = new Scratch<Taken>()
  /** Up to here, all of a position's list is marked. */
  readonly #markedTo: number[]
  /** For each transition, from where on its event completes, or NEVER. */
  readonly #from: number[]
  /** For each transition by which its event completes, what all those matches have. */
  readonly #ends: Completion[] = []
  #search = 0
  #put = 0

  constructor(positions: Positions, out: Collector) {
    super(positions)
    this.#out = out
    this.#markedTo = positions.positions.map(() => 0)
    this.#from = positions.transitions.map(() => NEVER)
  }

  putOut(sets: KeySets, event: StoredEvent, passages: readonly Passage[]): void {
    const finals = finalsOf(passages)
    if (finals.length === 0) return
    this.sets = sets
    this.#put = 0
    this.#mark(finals)
    for (const { transition, lo } of finals) {
      this.#from[transition.index] = lo
      this.#ends[transition.index] = { key: sets.key, event, stage: transition.to.stage.name }
    }
    const roots = this.#roots
    for (let at = 0; at < roots.size && this.walk(roots.get(at));) at++
    for (const { transition } of finals) this.#from[transition.index] = NEVER
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
      const completes = this.#from[index] as number
      if (completes === NEVER || taken.index < completes) continue
      if (this.#out.isFull) return 'stop'
      this.#out.match(new LazyMatch(this.#ends[index] as Completion, taken, before))
      this.#put++
    }
    return true
  }

  protected override leaveAll(list: TakenList, from: number, to: number, before: Step): boolean | 'stop' {
    const { out } = list.get(from).position
    if (out.length !== 1) return super.leaveAll(list, from, to, before)
    const { index: way } = out[0] as Transition
    const completes = this.#from[way] as number
    if (completes === NEVER) return true
    const collector = this.#out
    const search = this.#search
    const end = this.#ends[way] as Completion
    for (let index = Math.max(from, completes); index < to; index++) {
      const taken = list.get(index)
      if (taken.mark !== search) continue
      if (collector.isFull) return 'stop'
      collector.match(new LazyMatch(end, taken, before))
      this.#put++
    }
    return true
  }

  protected inVain(): void {}

  #mark(finals: readonly Passage[]): void {
    this.#search++
    const marked = this.#marked
    const roots = this.#roots
    marked.clear()
    roots.clear()
    this.hi.fill(0)
    this.#markedTo.fill(0)
    for (const { transition, lo, hi } of finals) this.#markRange(transition.from, lo, hi)
    for (let next = 0; next < marked.size; next++) {
      const { ranges, position } = marked.get(next)
      for (let door = 0; door < position.into.length; door++)
        this.#markRange(
          (position.into[door] as Transition).from,
          ranges[door * 2] as number,
          ranges[door * 2 + 1] as number,
        )
    }
    for (let at = 1; at < roots.size; at++)
      if (inOrder(roots.get(at - 1), roots.get(at)) > 0) {
        roots.sort(inOrder)
        break
      }
  }

  #markRange(position: Position, lo: number, hi: number): void {
    if (lo >= hi) return
    const list = this.sets.list(position)
    const at = position.index
    const known = this.#markedTo[at] as number
    const search = this.#search
    const { over } = this.sets
    const from = Math.max(lo, list.first, known)
    if (lo <= Math.max(list.first, known) && hi > known) this.#markedTo[at] = hi
    for (let index = from; index < hi; index++) {
      const taken = list.get(index)
      if (taken.mark === search || taken.newest <= over) continue
      taken.mark = search
      this.#marked.push(taken)
      if (taken.begins) this.#roots.push(taken)
    }
    if (from >= hi) return
    this.lo[at] = this.hi[at] === 0 ? from : Math.min(this.lo[at] as number, from)
    this.hi[at] = Math.max(this.hi[at] as number, hi)
  }

  /** How many matches there are: for each that is marked, in how many ways it is reached. */
  #count(finals: readonly Passage[]): number {
    this.#marked.sort(inOrder)
    for (let at = 0; at < this.#marked.size; at++) {
      const taken = this.#marked.get(at)
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

/** Those to positions where a match may end; mostly all of them or none. */
function finalsOf(passages: readonly Passage[]): readonly Passage[] {
  let finals = 0
  for (const { transition } of passages) if (transition.to.completes) finals++
  if (finals === passages.length) return passages
  return finals === 0 ? NONE : passages.filter(({ transition }) => transition.to.completes)
}

const NONE: readonly Passage[] = []
