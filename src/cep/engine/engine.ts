import type { StoredEvent } from '../../event/event.js'
import { fault } from '../../error/millrace-error.js'
import type { Advance, Engine, EngineInput, EngineStats } from './advance.js'
import { Collector } from './collector.js'
import type { EngineSnapshot } from './engine-snapshot.js'
import type { Executable, Executor } from './executor.js'
import type { Partial, Trace } from './partial.js'
import { ReorderBuffer } from './reorder.js'

/**
 * Makes an engine, new or from a snapshot.
 * @param trace told of what comes to nothing, where the executor can tell
 * @throws SNAPSHOT_MISMATCH when the snapshot was taken with something else
 */
export function createEngine(executable: Executable, snapshot?: EngineSnapshot, trace?: Trace): Engine {
  if (snapshot !== undefined && (snapshot.format !== 2 || snapshot.signature !== executable.signature))
    throw fault('SNAPSHOT_MISMATCH', `${snapshot.signature} is not ${executable.signature}`)
  return new OrderedEngine(executable, snapshot, trace)
}

/** Gives an executor its events in order, and sets apart those that are late. */
class OrderedEngine implements Engine {
  readonly #executable: Executable
  readonly #lateness: number
  readonly #grace: number
  readonly #buffer: ReorderBuffer
  readonly #collector: Collector
  readonly #executor: Executor
  #clock = -Infinity
  #seen = 0

  constructor(executable: Executable, snapshot: EngineSnapshot | undefined, trace: Trace | undefined) {
    const { bounds } = executable
    this.#executable = executable
    this.#lateness = executable.lateness
    this.#grace = executable.grace
    this.#buffer = new ReorderBuffer(executable.orderBy)
    this.#collector = new Collector(bounds.matchesPerAdvance, bounds.failOnMatches)
    this.#executor = executable.start(this.#collector, snapshot?.state, trace)
    if (snapshot === undefined) return
    for (const [event, key, at] of snapshot.waiting) this.#buffer.push({ event, key, at })
    this.#clock = snapshot.clock ?? -Infinity
    const { events, ...counts } = snapshot.counters
    this.#seen = events
    Object.assign(this.#collector.counts, counts)
  }

  advance(input: EngineInput): Advance {
    if (input.kind === 'time') this.#passTime(input.time)
    else if (this.#lateness > 0) this.#enqueue(input.event, input.key)
    else if (input.event.time >= this.#clock) {
      this.#seen++
      this.#clock = input.event.time
      this.#executor.take(input.event, input.key)
    } else this.#takeBehind(input.event, input.key)
    return this.#collector.flush()
  }

  /** An event that is behind is the executor's first; else, within the grace, it is moved to the time reached. */
  #takeBehind(event: StoredEvent, key: string): void {
    const taken = this.#executor.takeBehind?.(event, key) === true
    if (!taken && (this.#lateness > 0 || event.time < this.#clock - this.#grace)) {
      this.#collector.late(event)
      return
    }
    this.#seen++
    if (taken) return
    this.#collector.counts.raised++
    this.#executor.take({ ...event, time: this.#clock }, key)
  }

  /** Time passes without an event; with lateness, this is the watermark: events up to it are final. */
  #passTime(time: number): void {
    if (time <= this.#clock) return
    this.#clock = time
    if (this.#lateness > 0) this.#release(time)
    this.#executor.passTime(time)
  }

  #enqueue(event: StoredEvent, key: string): void {
    if (event.time <= this.#clock) {
      this.#takeBehind(event, key)
      return
    }
    this.#buffer.push({ event, key, at: this.#seen++ })
    // An event that is behind by exactly the lateness must still be welcome: time stops a millisecond short of it.
    this.#passTime(event.time - this.#lateness - 1)
    // Without room, time moves on to the earliest event: what is let through is still in order.
    while (this.#buffer.size > this.#executable.bounds.waiting) {
      const before = this.#buffer.size
      this.#passTime(this.#buffer.time)
      this.#collector.counts.releasedEarly += before - this.#buffer.size
    }
  }

  #release(time: number): void {
    for (let next = this.#buffer.take(time); next !== undefined; next = this.#buffer.take(time))
      this.#executor.take(next.event, next.key)
  }

  get due(): number {
    return Math.min(this.#executor.due, this.#buffer.time)
  }

  get clock(): number {
    return this.#clock
  }

  get wakes(): number {
    const { has, wakes } = this.#executor
    return has === undefined || wakes === undefined || this.#lateness > 0 ? -Infinity : wakes
  }

  has(key: string): boolean {
    return this.#executor.has?.(key) ?? true
  }

  liveKeys(): Iterable<string> {
    return this.#executor.liveKeys?.() ?? []
  }

  passOver(time: number, events: number, raised: number): void {
    this.#seen += events
    this.#collector.counts.raised += raised
    if (time <= this.#clock) return
    this.#clock = time
    this.#executor.passTime(time)
  }

  partials(key: string): readonly Partial[] | undefined {
    return this.#executor.partials?.(key)
  }

  stats(): EngineStats {
    const { dropped, errorSamples, evaluationErrors, keys, partialMatches } = this.#executor.stats
    const horizon = Math.min(this.#executor.horizon, this.#buffer.time)
    return {
      ...this.#collector.counts,
      events: this.#seen,
      evaluationErrors,
      errorSamples,
      dropped,
      keys,
      partialMatches,
      waiting: this.#buffer.size,
      clock: this.#clock === -Infinity ? undefined : this.#clock,
      horizon: horizon === Infinity ? undefined : horizon,
    }
  }

  snapshot(): EngineSnapshot {
    return {
      format: 2,
      signature: this.#executable.signature,
      clock: this.#clock === -Infinity ? null : this.#clock,
      waiting: this.#buffer.list().map(({ event, key, at }) => [event, key, at] as const),
      counters: { ...this.#collector.counts, events: this.#seen },
      state: this.#executor.snapshot(),
    }
  }
}
