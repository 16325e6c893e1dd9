import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import type { Partial, Trace } from '../engine/partial.js'
import { StartQueue } from '../flat/start-queue.js'
import { ClosedPaths, OpenPaths } from './closed-paths.js'
import { CompletedPaths } from './completed-paths.js'
import { KeySets, NO_PASSAGES, type Passage } from './key-sets.js'
import { LazyMatch } from './lazy-found.js'
import type { Position } from './position.js'
import type { RunSetsPattern } from './run-sets-pattern.js'
import { Room, type Exceeded } from './room.js'
import { readSets, writeSets, type RunSetsState } from './snapshot.js'
import type { Taken } from './taken.js'
import { Truth } from './truth.js'

/** Partial matches that `partials` lists at most: there may be more than anyone can hold. */
const MOST_LISTED = 1_000

/**
 * Runs a pattern whose conditions read the current event only without keeping its partial matches one by one: each
 * event is kept once at each position that it brings matches to, with what had come to the positions before by then.
 * A taken event costs the same however many partial matches it continues, and what is held is the events of the window.
 * Matches are laid out of that when an event completes them, in the order in which the flat executor has them.
 */
export class RunSetsExecutor implements Executor {
  readonly #pattern: RunSetsPattern
  readonly #out: Collector
  readonly #truth = new Truth()
  readonly #keys = new Map<string, KeySets>()
  readonly #starts = new StartQueue<KeySets>()
  readonly #completed: CompletedPaths
  readonly #closed: ClosedPaths
  readonly #room: Room
  #at = 0

  constructor(pattern: RunSetsPattern, out: Collector, state: RunSetsState | undefined, trace: Trace | undefined) {
    this.#pattern = pattern
    this.#out = out
    this.#room = new Room(pattern.limits, pattern.policies)
    this.#completed = new CompletedPaths(pattern.layout, out)
    this.#closed = new ClosedPaths(pattern.layout, out, trace)
    if (state !== undefined) this.#restore(state)
  }

  take(event: StoredEvent, key: string): void {
    const at = this.#at++
    const { types, beginBits, layout, within } = this.#pattern
    if (event.time - this.#starts.time >= within) this.passTime(event.time)
    const bits = types.of(event.type)
    if (bits === undefined) return
    const known = this.#keys.get(key)
    if (known === undefined && (bits & beginBits) === 0) return
    if (known !== undefined) known.seen = at
    if (bits === 0 && !layout.strict) return
    const truth = this.#truth
    truth.begin(event, key, bits)
    const passages = known === undefined ? NO_PASSAGES : known.pass(layout, truth)
    const beginning = (bits & beginBits) === 0 ? NOWHERE : this.#beginning()
    if (passages.length === 0 && beginning.length === 0) return
    if (known !== undefined) this.#completed.putOut(known, event, passages)
    for (const { completes, stage } of beginning)
      if (!completes) continue
      else if (this.#out.isFull) this.#out.drop(1)
      else this.#out.match(new LazyMatch({ key, event, stage: stage.name }, null, null))
    if (goesOn(beginning, passages)) this.#add(event, key, known, at, passages, beginning)
  }

  /** Where something begins with the event; mostly there is one place. */
  #beginning(): readonly Position[] {
    const truth = this.#truth
    const { firsts } = this.#pattern
    const begins = ({ test, until }: Position) => truth.of(test) && !(until !== null && truth.of(until))
    if (firsts.length > 1) return firsts.filter(begins)
    return begins(firsts[0] as Position) ? firsts : NOWHERE
  }

  #add(
    event: StoredEvent,
    key: string,
    known: KeySets | undefined,
    at: number,
    passages: readonly Passage[],
    beginning: readonly Position[],
  ): void {
    const sets = known ?? new KeySets(key, this.#pattern.layout)
    if (!this.#room.admits(sets, this.#keys.size, known === undefined)) return
    const added = sets.add(event, at, this.#pattern.held, passages, beginning)
    if (added === 0) return
    this.#room.held += added
    sets.seen = at
    if (known === undefined) this.#keys.set(key, sets)
    if (goesOn(beginning, NO_PASSAGES)) this.#starts.push(sets, event.time, at)
    for (let over = this.#room.exceeded(sets, this.#keys.size); over !== null;) {
      this.#drop(over)
      over = this.#room.exceeded(sets, this.#keys.size)
    }
  }

  /** Makes room by the policy of what is exceeded: the oldest beginning, of the key or of all, or the oldest key goes. */
  #drop(over: Exceeded): void {
    if (over.kind === 'keys') {
      const [oldest] = this.#keys.values()
      if (oldest === undefined) return
      this.#room.dropped.keys++
      this.#end(oldest, Infinity)
      return
    }
    const sets = over.kind === 'key' ? over.sets : this.#earliest()
    const before = sets.size
    this.#end(sets, sets.oldestBeginning(this.#pattern.firsts))
    this.#room.dropped.partialMatches += before - sets.size
  }

  #end(sets: KeySets, start: number): void {
    this.#room.held -= sets.end(start)
    if (sets.size === 0 && this.#keys.get(sets.key) === sets) this.#keys.delete(sets.key)
  }

  /** Ends what began when its window closes, in order of beginning. */
  passTime(time: number): void {
    const { within, firsts: begins } = this.#pattern
    const starts = this.#starts
    while (time - starts.time >= within) {
      const { start } = starts
      const deadline = starts.time + within
      const sets = starts.shift()
      if (sets === undefined || start <= sets.over) continue
      this.#closed.putOut(sets, sets.beginningAt(start, begins), deadline)
      this.#end(sets, start)
    }
  }

  /** Whose the earliest beginning is. Those that are over are forgotten on the way. */
  #earliest(): KeySets {
    const starts = this.#starts
    while (starts.size > 0 && starts.start <= (starts.owner?.over ?? Infinity)) starts.shift()
    const { owner } = starts
    if (owner === undefined) throw fault('INTERNAL', 'events are held and nothing has begun')
    return owner
  }

  get horizon(): number {
    if (this.#keys.size === 0) return Infinity
    this.#earliest()
    return this.#starts.time
  }

  /** Time brings no match: only an event completes one. */
  get due(): number {
    return Infinity
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  liveKeys(): Iterable<string> {
    return this.#keys.keys()
  }

  get wakes(): number {
    return this.#starts.time + this.#pattern.within
  }

  partials(key: string): readonly Partial[] {
    const sets = this.#keys.get(key)
    if (sets === undefined) return []
    const { layout, within, firsts: begins } = this.#pattern
    return new OpenPaths(layout, within, MOST_LISTED).list(sets, sets.beginnings(begins))
  }

  get stats(): ExecutorStats {
    const { errors, samples } = this.#truth
    return {
      keys: this.#keys.size,
      partialMatches: this.#room.held,
      evaluationErrors: errors,
      errorSamples: [...samples],
      dropped: { ...this.#room.dropped, timeouts: this.#closed.dropped },
    }
  }

  snapshot(): RunSetsState {
    const { errors, samples } = this.#truth
    return {
      at: this.#at,
      ...writeSets([...this.#keys.values()]),
      evaluationErrors: errors,
      errorSamples: [...samples],
      dropped: { ...this.#room.dropped, timeouts: this.#closed.dropped },
    }
  }

  #restore(state: RunSetsState): void {
    const { layout, firsts } = this.#pattern
    const starts: [KeySets, Taken][] = []
    for (const sets of readSets(layout, state)) {
      this.#keys.set(sets.key, sets)
      this.#room.held += sets.size
      for (const taken of sets.beginnings(firsts)) starts.push([sets, taken])
    }
    starts.sort(([, a], [, b]) => a.at - b.at)
    for (const [sets, { at, event }] of starts) this.#starts.push(sets, event.time, at)
    this.#at = state.at
    this.#room.dropped = { partialMatches: state.dropped.partialMatches, keys: state.dropped.keys }
    this.#closed.dropped = state.dropped.timeouts
    this.#truth.errors = state.evaluationErrors
    this.#truth.samples.push(...state.errorSamples)
  }
}

const NOWHERE: readonly Position[] = []

/** Whether anything is held of an event that begins and passes there. */
function goesOn(beginning: readonly Position[], passages: readonly Passage[]): boolean {
  for (const { out } of beginning) if (out.length > 0) return true
  for (const { transition } of passages) if (transition.to.out.length > 0) return true
  return false
}
