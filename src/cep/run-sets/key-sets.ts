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

  /** Lets every way out of every position see the event; those that take it are appended to `passages`. */
  pass({ transitions }: Positions, truth: Truth, passages: Passage[]): void {
    for (const transition of transitions) {
      const list = this.list(transition.from)
      const hi = list.end
      const lo = Math.max(this.waitFrom[transition.index] as number, list.first)
      if (lo >= hi) continue
      const { contiguity, to, repeats } = transition
      const holds = truth.of(to.test)
      const over = to.until !== null && (repeats || holds) && truth.of(to.until)
      if (holds && !over) passages.push({ transition, lo, hi })
      if (contiguity === 'strict' || (contiguity === 'relaxed' && holds) || (over && repeats))
        this.waitFrom[transition.index] = hi
    }
  }

  /** Adds the event at each position that it reached or begins at. Returns how many positions it came to. */
  add(event: StoredEvent, at: number, passages: readonly Passage[], begins: readonly Position[]): number {
    let added: Taken[] | undefined
    let positions: Position[] | undefined
    for (const position of reached(passages, begins)) {
      const taken = this.#taken(position, event, at, passages, begins.includes(position))
      ;(added ??= []).push(taken)
      ;(positions ??= []).push(position)
    }
    if (added === undefined || positions === undefined) return 0
    for (const [n, taken] of added.entries()) this.list(positions[n] as Position).push(taken)
    for (const [n, taken] of added.entries())
      taken.next = (positions[n] as Position).out.map(({ to }) => this.list(to).end)
    this.size += added.length
    return added.length
  }

  #taken(position: Position, event: StoredEvent, at: number, passages: readonly Passage[], begins: boolean): Taken {
    const ranges = position.into.flatMap(() => [0, 0])
    let newest = begins ? at : -1
    for (const { transition, lo, hi } of passages) {
      if (transition.to !== position) continue
      ranges[transition.door * 2] = lo
      ranges[transition.door * 2 + 1] = hi
      if (!begins) newest = Math.max(newest, this.#newestOf(transition, lo, hi))
    }
    const list = this.list(position)
    return new Taken(event, at, list.end, begins, newest, Math.max(newest, list.last?.newestYet ?? -1), ranges)
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
  beginnings(begins: readonly Position[]): [Taken, Position][] {
    const found: [Taken, Position][] = []
    for (const position of begins)
      for (const taken of this.list(position)) if (taken.begins && taken.at > this.over) found.push([taken, position])
    return begins.length === 1 ? found : found.sort(([a, p], [b, q]) => a.at - b.at || p.index - q.index)
  }

  /** What begins with one event, the oldest that is not over, in order of positions. */
  beginningAt(start: number, begins: readonly Position[]): [Taken, Position][] {
    const found: [Taken, Position][] = []
    for (const position of begins) {
      const list = this.list(position)
      if (list.size === 0) continue
      const taken = list.get(list.first)
      if (taken.begins && taken.at === start) found.push([taken, position])
    }
    return found
  }

  /** The place in order of the oldest beginning; Infinity: what is held has none. */
  oldestBeginning(begins: readonly Position[]): number {
    return this.beginnings(begins)[0]?.[0].at ?? Infinity
  }

  /** In how many ways it still waits; 0: not at all. */
  waysOf(taken: Taken, position: Position): number {
    let ways = 0
    for (const { index } of position.out) if (taken.index >= (this.waitFrom[index] as number)) ways++
    return ways > 1 && taken.at === this.seen ? 1 : ways
  }
}

/** Positions that hold something from which a match can go on, in order. */
function reached(passages: readonly Passage[], begins: readonly Position[]): Position[] {
  const positions: Position[] = []
  for (const { transition } of passages) if (!positions.includes(transition.to)) positions.push(transition.to)
  for (const position of begins) if (!positions.includes(position)) positions.push(position)
  return positions.filter(({ out }) => out.length > 0).sort((a, b) => a.index - b.index)
}
