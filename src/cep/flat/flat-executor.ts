import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import { applySkip } from './after-match.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { layOutFound } from './lay-out-found.js'
import type { Run } from './run.js'
import { readRuns, writeRuns, type FlatState } from './snapshot.js'
import { StartQueue } from './start-queue.js'
import { Stepper } from './stepper.js'

interface KeyState {
  readonly key: string
  runs: Run[]
}

/** Runs a pattern with one object for each partial match, which shares its beginning with others. */
export class FlatExecutor implements Executor {
  readonly #pattern: CompiledPattern
  readonly #out: Collector
  readonly #stepper: Stepper
  readonly #keys = new Map<string, KeyState>()
  readonly #starts = new StartQueue<KeyState>()
  #at = 0
  #live = 0
  #dropped = 0
  #spare: Run[] = []

  constructor(pattern: CompiledPattern, out: Collector, state: FlatState | undefined) {
    this.#pattern = pattern
    this.#out = out
    this.#stepper = new Stepper(pattern)
    if (state !== undefined) this.#restore(state)
  }

  take(event: StoredEvent, key: string): void {
    const at = this.#at++
    this.passTime(event.time)
    const bits = this.#pattern.types.get(event.type) ?? this.#pattern.anyType
    if (bits === 0 && !this.#pattern.types.has(event.type)) return
    const { begin, within } = this.#pattern
    const known = this.#keys.get(key)
    if (known === undefined && (bits & begin.watch) === 0) return
    const stepper = this.#stepper
    stepper.begin(event, key, bits, at)
    const out = this.#spare
    const before = known?.runs ?? EMPTY
    for (let i = 0; i < before.length; i++) stepper.step(before[i] as Run, out)
    const old = out.length
    stepper.start(out)
    const started = out.length > old
    if (stepper.done.length > 0) this.#complete(key, event.time, out)
    this.#bound(out)
    this.#live += out.length - before.length
    this.#keep(known, key, out, started && within !== null ? event.time : null, at)
  }

  /** Ends every partial match whose window has closed at `time`, in order of (deadline, start). */
  passTime(time: number): void {
    const { within } = this.#pattern
    if (within === null) return
    while (time - this.#starts.time >= within) {
      const { start } = this.#starts
      const deadline = this.#starts.time + within
      const state = this.#starts.shift()
      if (state !== undefined) this.#expireStart(state, start, deadline)
    }
  }

  /** Puts a key's partial matches back, or forgets the key when there are none. */
  #keep(known: KeyState | undefined, key: string, runs: Run[], startTime: number | null, at: number): void {
    if (known === undefined) {
      if (runs.length === 0) return
      this.#spare = []
      const state = { key, runs }
      this.#keys.set(key, state)
      if (startTime !== null) this.#starts.push(state, startTime, at)
      return
    }
    this.#spare = known.runs
    this.#spare.length = 0
    known.runs = runs
    if (runs.length === 0) this.#keys.delete(key)
    else if (startTime !== null) this.#starts.push(known, startTime, at)
  }

  /** Turns what became certain into matches, after the skip strategy. */
  #complete(key: string, time: number, runs: Run[]): void {
    const { done } = this.#stepper
    for (const { last } of applySkip(this.#pattern, done, runs))
      if (this.#out.isFull) this.#out.drop(1)
      else this.#out.match({ kind: 'match', ...layOutFound(this.#pattern, key, last, time) })
    done.length = 0
  }

  #bound(runs: Run[]): void {
    const excess = runs.length - this.#pattern.limits.partialMatchesPerKey
    if (excess <= 0) return
    runs.splice(0, excess)
    this.#dropped += excess
  }

  #expireStart(state: KeyState, start: number, deadline: number): void {
    const { runs } = state
    let ended = 0
    while (ended < runs.length && (runs[ended] as Run).start <= start) ended++
    if (ended === 0) return
    const gone = runs.splice(0, ended)
    const left = runs.length
    const { done } = this.#stepper
    for (const run of gone)
      if (run.state.endsLater) done.push({ last: run.last, start: run.start, startTime: run.startTime })
      else {
        const found = layOutFound(this.#pattern, state.key, run.last, deadline)
        this.#out.timeout({ kind: 'timeout', ...found, ways: run.state.data.ways })
      }
    if (done.length > 0) this.#complete(state.key, deadline, runs)
    this.#live -= ended + left - runs.length
    if (runs.length === 0 && this.#keys.get(state.key) === state) this.#keys.delete(state.key)
  }

  /** Starts whose runs have ended meanwhile are forgotten here. */
  get horizon(): number {
    const starts = this.#starts
    while (starts.size > 0 && !starts.owner?.runs.some((run) => run.start === starts.start)) starts.shift()
    return starts.time
  }

  get due(): number {
    const { within, endsLater } = this.#pattern
    return endsLater && within !== null ? this.horizon + within : Infinity
  }

  get stats(): ExecutorStats {
    const { errors, samples } = this.#stepper
    return {
      keys: this.#keys.size,
      partialMatches: this.#live,
      evaluationErrors: errors,
      errorSamples: [...samples],
      dropped: { partialMatches: this.#dropped },
    }
  }

  snapshot(): FlatState {
    const { errors, samples } = this.#stepper
    return {
      at: this.#at,
      ...writeRuns(Array.from(this.#keys.values(), (state) => [state.key, state.runs] as const)),
      evaluationErrors: errors,
      errorSamples: [...samples],
      droppedPartialMatches: this.#dropped,
    }
  }

  #restore(snapshot: FlatState): void {
    const starts: [KeyState, Run][] = []
    for (const [key, runs] of readRuns(this.#pattern, snapshot)) {
      const state = { key, runs }
      this.#keys.set(key, state)
      this.#live += runs.length
      for (const run of runs) starts.push([state, run])
    }
    starts.sort(([, a], [, b]) => a.start - b.start)
    if (this.#pattern.within !== null)
      for (const [state, run] of starts) this.#starts.push(state, run.startTime, run.start)
    this.#at = snapshot.at
    this.#dropped = snapshot.droppedPartialMatches
    this.#stepper.errors = snapshot.evaluationErrors
    this.#stepper.samples.push(...snapshot.errorSamples)
  }
}

const EMPTY: readonly Run[] = []
