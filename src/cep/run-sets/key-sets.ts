import type { StoredEvent } from '../../event/event.js'
import type { Position, Positions, Transition } from './position.js'
import { Taken, TakenList } from './taken.js'
import type { Truth } from './truth.js'

/** What an event did to a transition: who waited there, as a range of the list of `from`. */
export interface Passage {
  readonly transition: Transition
  readonly lo: number
  readonly hi: number
}

/** Frozen: a list that is made with its first item is smaller than one that is pushed to when it is empty. */
export const NO_PASSAGES = Object.freeze([]) as unknown as never[]

/** Everything under way for one key. */
export class KeySets {
  readonly key: string
  readonly lists: readonly TakenList[]
  /** For each transition: who is at or after this index of its list still waits. */
  readonly waitFrom: number[]
  /** The last event that the key's partial matches saw, by its place in order. */
  seen = -1
  /** Beginnings up to this place in order are over. */
  over = -1
  /** Events held, each as often as positions hold it. */
  size = 0

  constructor(key: string, { positions, transitions }: Positions) {
    this.key = key
    this.lists = positions.map(() => new TakenList())
    this.waitFrom = transitions.map(() => 0)
  }

  list(position: Position): TakenList {
    return this.lists[position.index] as TakenList
  }

  /** Lets every way out of every position see the event. @returns those that take it */
  pass({ transitions }: Positions, truth: Truth): readonly Passage[] {
    let passages: Passage[] = NO_PASSAGES
    for (const transition of transitions) {
      const list = this.list(transition.from)
      const hi = list.end
      const lo = Math.max(this.waitFrom[transition.index] as number, list.first)
      if (lo >= hi) continue
      const { contiguity, to, repeats } = transition
      const holds = truth.of(to.test)
      const over = to.until !== null && (repeats || holds) && truth.of(to.until)
      if (holds && !over) {
        const passage = { transition, lo, hi }
        if (passages === NO_PASSAGES) passages = [passage]
        else passages.push(passage)
      }
      if (contiguity === 'strict' || (contiguity === 'relaxed' && holds) || (over && repeats))
        this.waitFrom[transition.index] = hi
    }
    return passages
  }

  /**
   * Adds the event at each position that it reached or begins at, where something can go on from it. Returns at how many.
   * @param held the pattern's positions from which something can go on
   */
  add(
    event: StoredEvent,
    at: number,
    held: readonly Position[],
    passages: readonly Passage[],
    begins: readonly Position[],
  ): number {
    const added = ADDED
    let count = 0
    for (const position of held) {
      const beginning = begins.length > 0 && begins.includes(position)
      if (beginning || leadsTo(passages, position))
        added[count++] = this.#taken(position, event, at, passages, beginning)
    }
    for (let n = 0; n < count; n++) {
      const taken = added[n] as Taken
      this.list(taken.position).push(taken)
    }
    for (let n = 0; n < count; n++) {
      const taken = added[n] as Taken
      const { out, noNext } = taken.position
      taken.next = noNext.slice()
      for (let way = 0; way < out.length; way++) taken.next[way] = this.list((out[way] as Transition).to).end
    }
    this.size += count
    return count
  }

  #taken(position: Position, event: StoredEvent, at: number, passages: readonly Passage[], begins: boolean): Taken {
    const ranges = position.noRanges.slice()
    let newest = begins ? at : -1
    for (const { transition, lo, hi } of passages) {
      if (transition.to !== position) continue
      ranges[transition.door * 2] = lo
      ranges[transition.door * 2 + 1] = hi
      if (!begins) newest = Math.max(newest, this.#newestOf(transition, lo, hi))
    }
    const list = this.list(position)
    return new Taken(
      event,
      position,
      at,
      list.end,
      begins,
      newest,
      Math.max(newest, list.last?.newestYet ?? -1),
      ranges,
    )
  }

  #newestOf({ from, contiguity }: Transition, lo: number, hi: number): number {
    const list = this.list(from)
    // At `any` all of the list wait, also those who had gone if a repetition ended: that holds them a little longer.
    if (contiguity === 'any') return list.get(hi - 1).newestYet
    let newest = -1
    for (let index = lo; index < hi; index++) newest = Math.max(newest, list.get(index).newest)
    return newest
  }

  /** Ends what began at or before this place in order. Returns how much it held. */
  end(start: number): number {
    this.over = Math.max(this.over, start)
    let gone = 0
    for (const list of this.lists) gone += list.trim(start)
    this.size -= gone
    return gone
  }

  /** What begins and is not over, in order of events and positions. */
  beginnings(begins: readonly Position[]): Taken[] {
    const found: Taken[] = []
    for (const position of begins)
      for (const taken of this.list(position)) if (taken.begins && taken.at > this.over) found.push(taken)
    return begins.length === 1 ? found : found.sort((a, b) => a.at - b.at || a.position.index - b.position.index)
  }

  /** What begins with one event, the oldest that is not over, in order of positions. */
  beginningAt(start: number, begins: readonly Position[]): Taken[] {
    const found: Taken[] = []
    for (const position of begins) {
      const list = this.list(position)
      if (list.size === 0) continue
      const taken = list.get(list.first)
      if (taken.begins && taken.at === start) found.push(taken)
    }
    return found
  }

  /** The place in order of the oldest beginning; Infinity: what is held has none. */
  oldestBeginning(begins: readonly Position[]): number {
    return this.beginnings(begins)[0]?.at ?? Infinity
  }

  /** In how many ways it still waits; 0: not at all. */
  waysOf(taken: Taken): number {
    let ways = 0
    for (const { index } of taken.position.out) if (taken.index >= (this.waitFrom[index] as number)) ways++
    return ways > 1 && taken.at === this.seen ? 1 : ways
  }
}

/** Scratch: empty again in effect whenever `add` returns. */
const ADDED: Taken[] = []

function leadsTo(passages: readonly Passage[], position: Position): boolean {
  for (const { transition } of passages) if (transition.to === position) return true
  return false
}
