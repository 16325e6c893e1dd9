import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import type { Partial, Trace } from '../engine/partial.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { EVERYTHING, type KeyRuns } from './keys.js'
import { FlatMatch, FlatTimeout } from './found.js'
import { endOf } from './partials.js'
import type { Done, Run } from './run.js'
import { RunStore, waitsFor } from './run-store.js'
import { Settling } from './settling.js'
import { readRuns, writeRuns, type FlatState } from './snapshot.js'
import { nextWays, waysFrom, type From, type Move } from './state.js'
import { Stepper } from './stepper.js'

/** Runs a pattern with one object for each partial match, which shares its beginning with others. */
export class FlatExecutor implements Executor {
  readonly #pattern: CompiledPattern
  readonly #out: Collector
  readonly #stepper: Stepper
  readonly #store: RunStore
  readonly #settling: Settling
  #at = 0

  constructor(pattern: CompiledPattern, out: Collector, state: FlatState | undefined, trace: Trace | undefined) {
    this.#pattern = pattern
    this.#out = out
    const store = new RunStore(pattern, trace ?? null)
    this.#store = store
    this.#settling = new Settling(pattern)
    this.#stepper = new Stepper(pattern, {
      waits: (run, key) => store.deadlines.open(run, key),
      ended: trace === undefined ? null : (run, key, move, e) => store.ended(key, run, endOf(move, e), e.time),
    })
    if (state !== undefined) this.#restore(state)
  }

  take(event: StoredEvent, key: string): void {
    const at = this.#at++
    const { time, type } = event
    if (this.#store.deadlines.isDue(time)) this.passTime(time)
    const { types, states } = this.#pattern
    const bits = types.of(type)
    if (bits === undefined) return
    const stepper = this.#stepper
    stepper.begin(bits, at)
    const beginning = (bits & states.begin.watch) === 0 ? null : stepper.beginning(event, key)
    const known = this.#store.keys.get(key)
    if (known === undefined) {
      if (beginning !== null) this.#step(event, this.#store.keys.add(key), at, beginning)
      return
    }
    // Most events change nothing that is under way for their key: that is known without looking at any of it.
    const { heed } = known
    if (beginning !== null || (heed & bits) !== 0 || heed === EVERYTHING) this.#step(event, known, at, beginning)
  }

  /** Takes what is under way for a key over the event, and what begins with it. */
  #step(event: StoredEvent, runs: KeyRuns, at: number, beginning: Move | null): void {
    const stepper = this.#stepper
    const { time } = event
    const { key, head: before } = runs
    if (before !== null) stepper.step(before, event, key)
    const began = beginning !== null && stepper.start(beginning, event, key)
    const list = stepper.list()
    this.#store.live += stepper.count - stepper.seen
    runs.heed = stepper.heed
    if (list !== before) this.#store.keys.put(runs, list)
    if (began) this.#store.begun(runs, time, at)
    else if (stepper.count < stepper.seen) this.#store.compact()
    const { live } = this.#store
    if (stepper.done.length > 0 || this.#settling.holds(key)) this.#settle(key, time)
    if (stepper.count > stepper.seen) this.#store.bound(key, stepper.count + this.#store.live - live, time)
  }

  /** Closes every window that is over at `time`, in order of (when it closes, start). */
  passTime(time: number): void {
    const { deadlines } = this.#store
    while (deadlines.isDue(time)) {
      const gap = deadlines.shiftGap()
      if (gap !== null) this.#closeGap(gap.key, gap.at, gap.gap, gap.time)
      else {
        const { owner, start, time: began } = deadlines.starts
        deadlines.starts.shift()
        if (owner !== undefined) this.#close(owner, start, began)
      }
    }
  }

  /**
   * The window of the whole pattern closes for what began at `start`. Under a skip strategy, together with whatever of
   * the key began at the same time, so that none of it rules out another.
   */
  #close(runs: KeyRuns, start: number, began: number): void {
    const store = this.#store
    const { head, key } = runs
    if (head === null || head.start > start) return
    const { within, skip } = this.#pattern
    const time = began + (within ?? 0)
    // Whoever began at the same time comes next in the queue.
    const together = skip.type === 'none' || store.deadlines.starts.time > began ? -Infinity : began
    const { done } = this.#stepper
    let run: Run | null = head
    for (; run !== null && (run.start <= start || isBy(run, together)); run = run.next) {
      store.live--
      const { pending, waiting } = run.state
      if (pending.length > 0) for (let n = waysFrom(run.ways, pending); n > 0; n--) done.push(run)
      if (waiting.length > 0) this.#timeout(key, run, time, waiting)
      if (pending.length === 0) store.ended(key, run, { kind: 'window' }, time)
    }
    store.keys.put(runs, run)
    if (done.length > 0 || this.#settling.holds(key)) this.#settle(key, time)
  }

  /** A gap window closes for what took its last event at `at`. */
  #closeGap(key: string, at: number, gap: number, time: number): void {
    const store = this.#store
    const runs = store.keys.get(key)
    if (runs === undefined) return
    const { head } = runs
    const { done } = this.#stepper
    runs.heed = EVERYTHING
    let kept: Run | null = null
    let tail: Run | null = null
    for (let run: Run | null = head; run !== null; run = run.next) {
      if (waitsFor(run, at, gap)) {
        const { state, from, matches, over } = this.#pattern.states.closed(run.state, gap)
        for (let n = waysFrom(run.ways, matches); n > 0; n--) done.push({ first: run.first, last: run.last })
        if (over.length > 0) this.#timeout(key, run, time, over)
        if (state === null) {
          store.live--
          if (matches.length === 0) store.ended(key, run, { kind: 'window' }, time)
          continue
        }
        run.state = state
        run.ways = nextWays(run.ways, from)
      }
      if (tail === null) kept = run
      else tail.next = run
      tail = run
    }
    if (tail !== null) tail.next = null
    if (kept !== head) store.keys.put(runs, kept)
    if (done.length > 0 || this.#settling.holds(key)) this.#settle(key, time)
  }

  #timeout(key: string, run: Run, time: number, over: From): void {
    const ways = waysFrom(run.ways, over)
    this.#out.timeout(new FlatTimeout(this.#pattern.steps, key, run.first, run.last, time, ways))
  }

  /** Turns what became certain into matches, after the skip strategy. */
  #settle(key: string, time: number): void {
    const store = this.#store
    const runs = store.keys.get(key)
    const head = runs === undefined ? null : runs.head
    const stands = ({ first, last }: Done) => {
      if (this.#out.isFull) this.#out.drop(1)
      else this.#out.match(new FlatMatch(this.#pattern.steps, key, first, last, time))
    }
    const list = this.#settling.settle(key, head, this.#stepper.done, stands, (run) => {
      store.live--
      store.ended(key, run, { kind: 'skipped' }, time)
    })
    if (runs !== undefined && list !== head) store.keys.put(runs, list)
  }

  /** Of matches that are held back, the partial matches that hold them are older. */
  get horizon(): number {
    this.#store.trimStarts()
    return this.#store.deadlines.starts.time
  }

  has(key: string): boolean {
    return this.#store.keys.has(key) || this.#settling.held.has(key)
  }

  liveKeys(): Iterable<string> {
    return keysOf(this.#store.keys.live())
  }

  get wakes(): number {
    return this.#store.deadlines.next
  }

  get due(): number {
    if (!this.#pattern.endsLater && this.#settling.held.size === 0) return Infinity
    return this.closes
  }

  get closes(): number {
    this.#store.trimStarts()
    this.#store.trimGaps()
    return this.#store.deadlines.next
  }

  get stats(): ExecutorStats {
    const { errors, samples } = this.#stepper.truth
    return {
      keys: this.#store.keys.size,
      partialMatches: this.#store.live,
      evaluationErrors: errors,
      errorSamples: [...samples],
      dropped: { ...this.#store.limits.dropped },
    }
  }

  partials(key: string): readonly Partial[] {
    return this.#store.partials(key)
  }

  snapshot(): FlatState {
    const { errors, samples } = this.#stepper.truth
    return {
      at: this.#at,
      ...writeRuns(this.#store.written(this.#settling.held)),
      evaluationErrors: errors,
      errorSamples: [...samples],
      dropped: { ...this.#store.limits.dropped },
    }
  }

  #restore(snapshot: FlatState): void {
    const { states } = this.#pattern
    const read = readRuns(this.#pattern, snapshot, (text) => states.restore(text))
    this.#store.restore(read)
    for (const { key, held } of read) if (held.length > 0) this.#settling.held.set(key, [...held])
    this.#at = snapshot.at
    this.#store.limits.dropped = { ...snapshot.dropped }
    this.#stepper.truth.errors = snapshot.evaluationErrors
    this.#stepper.truth.samples.push(...snapshot.errorSamples)
  }
}

/** Whether it began at or before `time`; never so before all time. */
function isBy({ first }: Run, time: number): boolean {
  return time !== -Infinity && first.event.time <= time
}

function* keysOf(live: Iterable<KeyRuns>): Generator<string> {
  for (const { key } of live) yield key
}
