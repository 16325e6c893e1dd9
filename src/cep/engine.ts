import type { StoredEvent } from '../event/event.js'
import type { Advance, Engine, EngineInput, EngineStats } from './advance.js'
import { applySkip } from './after-match.js'
import { Collector } from './collector.js'
import type { CompiledPattern } from './compile-pattern.js'
import { ReorderBuffer } from './reorder.js'
import type { Run } from './run.js'
import { readRuns, writeRuns, type EngineCounters, type EngineSnapshot } from './snapshot.js'
import { StartQueue } from './start-queue.js'
import { Stepper } from './stepper.js'

export type { Engine, EngineSnapshot }

/**
 * Makes an engine, new or from a snapshot.
 * @throws SNAPSHOT_MISMATCH when the snapshot was taken with another pattern
 */
export function createEngine(pattern: CompiledPattern, snapshot?: EngineSnapshot): Engine {
  const engine = new PatternEngine(pattern)
  if (snapshot !== undefined) engine.restore(snapshot)
  return engine
}

interface KeyState {
  readonly key: string
  runs: Run[]
}

class PatternEngine implements Engine {
  readonly #pattern: CompiledPattern
  readonly #lateness: number
  readonly #grace: number
  readonly #stepper: Stepper
  readonly #keys = new Map<string, KeyState>()
  readonly #starts = new StartQueue<KeyState>()
  readonly #buffer = new ReorderBuffer()
  #clock = -Infinity
  #at = 0
  #seen = 0
  #live = 0
  #spare: Run[] = []
  readonly #collector: Collector

  constructor(pattern: CompiledPattern) {
    this.#pattern = pattern
    this.#lateness = pattern.pattern.lateness ?? 0
    this.#grace = pattern.pattern.grace ?? 0
    this.#stepper = new Stepper(pattern)
    this.#collector = new Collector(pattern)
  }

  advance(input: EngineInput): Advance {
    if (input.kind === 'time') this.#passTime(input.time)
    else if (this.#lateness > 0) this.#enqueue(input.event, input.key)
    else if (input.event.time < this.#clock - this.#grace) this.#collector.late(input.event)
    else {
      this.#seen++
      this.#take(this.#inTime(input.event), input.key)
    }
    return this.#collector.flush()
  }

  /** Moves time to the event or, where time is ahead by no more than the grace, the event to the time. */
  #inTime(event: StoredEvent): StoredEvent {
    if (event.time >= this.#clock) {
      this.#clock = event.time
      return event
    }
    this.#collector.counts.raised++
    return { ...event, time: this.#clock }
  }

  /** Time passes without an event; with lateness, this is the watermark: events up to it are final. */
  #passTime(time: number): void {
    if (time <= this.#clock) return
    this.#clock = time
    if (this.#lateness > 0) this.#release(time)
    this.#expire(time)
  }

  #enqueue(event: StoredEvent, key: string): void {
    if (event.time <= this.#clock) {
      this.#collector.late(event)
      return
    }
    this.#buffer.push({ event, key, at: this.#seen++ })
    // An event that is behind by exactly the lateness must still be welcome: time stops a millisecond short of it.
    this.#passTime(event.time - this.#lateness - 1)
    // Without room, time moves on to the earliest event: what is let through is still in order.
    while (this.#buffer.size > this.#pattern.bounds.waiting) {
      const before = this.#buffer.size
      this.#passTime(this.#buffer.time)
      this.#collector.counts.releasedEarly += before - this.#buffer.size
    }
  }

  #release(time: number): void {
    for (let next = this.#buffer.take(time); next !== undefined; next = this.#buffer.take(time))
      this.#take(next.event, next.key)
  }

  #take(event: StoredEvent, key: string): void {
    const at = this.#at++
    this.#expire(event.time)
    const bits = this.#pattern.types.get(event.type) ?? this.#pattern.anyType
    if (bits === 0 && !this.#pattern.types.has(event.type)) return
    const { start, within } = this.#pattern
    const known = this.#keys.get(key)
    if (known === undefined && (bits & start.watch) === 0) return
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
    this.#collector.matches(key, time, applySkip(this.#pattern, done, runs))
    done.length = 0
  }

  #bound(runs: Run[]): void {
    const excess = runs.length - this.#pattern.bounds.partialMatchesPerKey
    if (excess <= 0) return
    runs.splice(0, excess)
    this.#collector.counts.droppedPartialMatches += excess
  }

  /** Ends every partial match whose window has closed at `time`, in order of (deadline, start). */
  #expire(time: number): void {
    const { within } = this.#pattern
    if (within === null) return
    while (time - this.#starts.time >= within) {
      const { start } = this.#starts
      const deadline = this.#starts.time + within
      const state = this.#starts.shift()
      if (state !== undefined) this.#expireStart(state, start, deadline)
    }
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
      else this.#collector.timeout(state.key, run, deadline)
    if (done.length > 0) this.#complete(state.key, deadline, runs)
    this.#live -= ended + left - runs.length
    if (runs.length === 0 && this.#keys.get(state.key) === state) this.#keys.delete(state.key)
  }

  /** Time of the earliest start that is still alive; starts whose runs have ended meanwhile are forgotten here. */
  #earliestStart(): number {
    const starts = this.#starts
    while (starts.size > 0 && !starts.owner?.runs.some((run) => run.start === starts.start)) starts.shift()
    return starts.time
  }

  #counters(): EngineCounters {
    const { errors, samples } = this.#stepper
    return { ...this.#collector.counts, events: this.#seen, evaluationErrors: errors, errorSamples: [...samples] }
  }

  stats(): EngineStats {
    const horizon = Math.min(this.#earliestStart(), this.#buffer.time)
    return {
      ...this.#counters(),
      keys: this.#keys.size,
      partialMatches: this.#live,
      waiting: this.#buffer.size,
      clock: this.#clock === -Infinity ? undefined : this.#clock,
      horizon: horizon === Infinity ? undefined : horizon,
    }
  }

  snapshot(): EngineSnapshot {
    const runs = Array.from(this.#keys.values(), (state) => [state.key, state.runs] as const)
    return {
      format: 1,
      signature: this.#pattern.signature,
      clock: this.#clock === -Infinity ? null : this.#clock,
      at: this.#at,
      ...writeRuns(runs, this.#buffer.list()),
      counters: this.#counters(),
    }
  }

  restore(snapshot: EngineSnapshot): void {
    const { keys, waiting } = readRuns(this.#pattern, snapshot)
    const starts: [KeyState, Run][] = []
    for (const [key, runs] of keys) {
      const state = { key, runs }
      this.#keys.set(key, state)
      this.#live += runs.length
      for (const run of runs) starts.push([state, run])
    }
    starts.sort(([, a], [, b]) => a.start - b.start)
    if (this.#pattern.within !== null)
      for (const [state, run] of starts) this.#starts.push(state, run.startTime, run.start)
    for (const item of waiting) this.#buffer.push(item)
    this.#clock = snapshot.clock ?? -Infinity
    this.#at = snapshot.at
    this.#seen = snapshot.counters.events
    const { events: _, evaluationErrors, errorSamples, ...counts } = snapshot.counters
    Object.assign(this.#collector.counts, counts)
    this.#stepper.errors = evaluationErrors
    this.#stepper.samples.push(...errorSamples)
  }
}

const EMPTY: readonly Run[] = []
