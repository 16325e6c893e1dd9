import type { StoredEvent } from '../../event/event.js'
import type { CompiledPattern } from './compiled-pattern.js'
import type { Bound } from '../pattern/pattern.js'
import { take, unbound, type Done, type Run, type Taking } from './run.js'
import { nextWays, waysFrom, type Move, type Take } from './state.js'
import { Truth } from './truth.js'

/** Told of partial matches that took an event, and of those that an event ended. */
export interface Watcher {
  /** It waits for gap windows, from its last event on. */
  waits(run: Run, key: string): void
  /** It is no more, and no match came of it; for explanations. Null: nobody asks. */
  readonly ended: ((run: Run, key: string, move: Move, event: StoredEvent) => void) | null
}

/** Takes the partial matches of one key over one event, as a list that is changed in place. */
export class Stepper {
  /** Matches that the event completed, oldest start first. */
  readonly done: Done[] = []
  readonly truth: Truth
  /** Partial matches in the list that `step` and `start` have made. */
  count = 0
  /** Partial matches in the list that `step` was given. */
  seen = 0
  /** What all of the list heed together. */
  heed = 0
  readonly #pattern: CompiledPattern
  readonly #watcher: Watcher
  readonly #none: Bound
  #at = 0
  #head: Run | null = null
  #tail: Run | null = null

  constructor(pattern: CompiledPattern, watcher: Watcher) {
    this.#pattern = pattern
    this.#watcher = watcher
    this.#none = unbound(pattern)
    this.truth = new Truth(pattern.conditions)
  }

  /** `possible`: conditions whose types the event has. `at`: its place in the order of events. */
  begin(possible: number, at: number): void {
    this.#at = at
    this.#head = null
    this.#tail = null
    this.count = 0
    this.seen = 0
    this.heed = 0
    this.truth.begin(possible)
  }

  /** What the event begins; null when it begins nothing. */
  beginning(event: StoredEvent, key: string): Move | null {
    const { states } = this.#pattern
    const { begin } = states
    const truth = this.truth.of(begin.watch, begin.conditions, this.#none, event, key)
    const move = begin.moves[truth] ?? states.move(begin, truth)
    return move.takes.length === 0 ? null : move
  }

  /** Takes the list that begins with `head` over the event. The list that comes of it is `list`. */
  step(head: Run, event: StoredEvent, key: string): void {
    const { states } = this.#pattern
    let run: Run | null = head
    while (run !== null) {
      const { next, state }: Run = run
      this.seen++
      // What was taken is far away in memory: it is looked at only by those who read it.
      const bound = state.readsBound ? run.last.bound : this.#none
      const truth = this.truth.of(state.watch, state.conditions, bound, event, key)
      const move = state.moves[truth] ?? states.move(state, truth)
      if (move.idle) this.#append(run)
      else this.#move(run, move, event, key)
      run = next
    }
  }

  /** Begins a match, behind all others; false: it was complete at once. The first stage ignores nothing. */
  start(move: Move, event: StoredEvent, key: string): boolean {
    const { count } = this
    for (const { step, state, from, completes } of move.takes) {
      const taking = take(this.#pattern, this.#none, null, event, step, this.#at)
      for (let n = 0; n < completes.length; n++) this.done.push({ first: taking, last: taking })
      if (state === null) continue
      const ways = move.plain ? null : nextWays(null, from)
      const run: Run = { state, ways, start: taking.at, first: taking, last: taking, next: null }
      this.#append(run)
      if (state.gaps.length > 0) this.#watcher.waits(run, key)
    }
    return this.count > count
  }

  /** Ends the list and returns its beginning. */
  list(): Run | null {
    if (this.#tail !== null && this.#tail.next !== null) this.#tail.next = null
    return this.#head
  }

  #move(run: Run, move: Move, event: StoredEvent, key: string): void {
    const { first, last, ways } = run
    const { takes, stay, ends } = move
    const plain = move.plain && ways === null
    let free = stay === null ? run : null
    for (let i = 0; i < takes.length; i++) {
      const { step, state, from, completes } = takes[i] as Take
      const taking = take(this.#pattern, this.#none, last, event, step, this.#at)
      this.#complete(first, taking, waysFrom(ways, completes))
      if (state === null) continue
      const moved: Run = free ?? { state, ways: null, start: first.at, first, last: taking, next: null }
      free = null
      moved.state = state
      moved.ways = plain ? null : nextWays(ways, from)
      moved.last = taking
      this.#append(moved)
      if (state.gaps.length > 0) this.#watcher.waits(moved, key)
    }
    if (ends.length > 0) this.#complete(first, last, waysFrom(ways, ends))
    if (stay !== null) {
      run.state = stay
      if (!plain) run.ways = nextWays(ways, move.stayFrom)
      this.#append(run)
    } else if (takes.length === 0 && ends.length === 0) this.#watcher.ended?.(run, key, move, event)
  }

  /** More than may be put out at once need not be made. */
  #complete(first: Taking, last: Taking, ways: number): void {
    const most = this.#pattern.limits.matchesPerAdvance + 1
    for (let n = Math.min(ways, most); n > 0; n--) this.done.push({ first, last })
  }

  #append(run: Run): void {
    if (this.#tail === null) this.#head = run
    else if (this.#tail.next !== run) this.#tail.next = run
    this.#tail = run
    this.heed |= run.state.heed
    this.count++
  }
}
