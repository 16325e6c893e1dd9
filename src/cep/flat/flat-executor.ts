import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import type { Partial, Trace } from '../engine/partial.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { FlatMatch, FlatTimeout } from './found.js'
import { endOf } from './partials.js'
import type { Done, Run } from './run.js'
import { RunStore } from './run-store.js'
import { Settling } from './settling.js'
import { readRuns, writeRuns, type FlatState } from './snapshot.js'
import { nextWays, waysFrom, type From } from './state.js'
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
    const { deadlines, keys } = this.#store
    if (deadlines.isDue(time)) this.passTime(time)
    const { types, anyType } = this.#pattern
    const bits = types.get(type) ?? anyType
    if (bits === 0 && !types.has(type)) return
    const stepper = this.#stepper
    stepper.begin(event, key, bits, at)
    const beginning = stepper.beginning()
    const before = keys.get(key)
    if (before === undefined && beginning === null) return
    if (before !== undefined) stepper.step(before)
    const began = beginning !== null && stepper.start(beginning)
    const list = stepper.list()
    this.#store.live += stepper.count - stepper.seen
    if (list !== before) this.#store.put(key, before, list)
    if (began) this.#store.begun(key, time, at)
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
        const { start, time: began } = deadlines.starts
        this.#close(deadlines.starts.shift() ?? '', start, began)
      }
    }
  }

  /**
   * The window of the whole pattern closes for what began at `start`. Under a skip strategy, together with whatever of
   * the key began at the same time, so that none of it rules out another.
   */
  #close(key: string, start: number, began: number): void {
    const store = this.#store
    const head = store.keys.get(key)
    if (head === undefined || head.first.at > start) return
    const { within, skip } = this.#pattern
    const time = began + (within ?? 0)
    const together = skip.type === 'none' ? -Infinity : began
    const { done } = this.#stepper
    let run: Run | null = head
    for (; run !== null && (run.first.at <= start || run.first.event.time <= together); run = run.next) {
      store.live--
      const { pending, waiting } = run.state
      if (pending.length > 0) for (let n = waysFrom(run.ways, pending); n > 0; n--) done.push(run)
      if (waiting.length > 0) this.#timeout(key, run, time, waiting)
      if (pending.length === 0) store.ended(key, run, { kind: 'window' }, time)
    }
    store.put(key, head, run)
    if (done.length > 0 || this.#settling.holds(key)) this.#settle(key, time)
  }

  /** A gap window closes for what took its last event at `at`. */
  #closeGap(key: string, at: number, gap: number, time: number): void {
    const store = this.#store
    const head = store.keys.get(key)
    if (head === undefined) return
    const { done } = this.#stepper
    let kept: Run | null = null
    let tail: Run | null = null
    for (let run: Run | null = head; run !== null; run = run.next) {
      if (run.last.at === at && run.state.elapsed < gap && run.state.gaps.includes(gap)) {
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
    if (kept !== head) store.put(key, head, kept)
    if (done.length > 0 || this.#settling.holds(key)) this.#settle(key, time)
  }

  #timeout(key: string, run: Run, time: number, over: From): void {
    const ways = waysFrom(run.ways, over)
    this.#out.timeout(new FlatTimeout(this.#pattern.steps, key, run.first, run.last, time, ways))
  }

  /** Turns what became certain into matches, after the skip strategy. */
  #settle(key: string, time: number): void {
    const store = this.#store
    const head = store.keys.get(key)
    const stands = ({ first, last }: Done) => {
      if (this.#out.isFull) this.#out.drop(1)
      else this.#out.match(new FlatMatch(this.#pattern.steps, key, first, last, time))
    }
    const list = this.#settling.settle(key, head ?? null, this.#stepper.done, stands, (run) => {
      store.live--
      store.ended(key, run, { kind: 'skipped' }, time)
    })
    if (list !== (head ?? null)) store.put(key, head, list)
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
    return this.#store.keys.keys()
  }

  get wakes(): number {
    return this.#store.deadlines.next
  }

  get due(): number {
    if (!this.#pattern.endsLater && this.#settling.held.size === 0) return Infinity
    this.#store.trimStarts()
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
