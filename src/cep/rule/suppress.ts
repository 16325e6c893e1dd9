import { messageOf } from '../../error/millrace-error.js'
import { Collector } from '../engine/collector.js'
import type { Executable, Executor, ExecutorStats } from '../engine/executor.js'
import type { Match } from '../engine/match.js'
import type { StoredEvent } from '../../event/event.js'
import { executableAround, ExecutorAround } from './executor-around.js'

/** How matches of one group are held down. */
export interface Suppression {
  /** Cool-down in ms of event time, counted from the first match that was let through. */
  readonly ms: number
  /** How many matches are let through in that time. */
  readonly max: number
  /** Matches that say the same are of one group. What it throws lets the match through. */
  readonly groupOf: (match: Match) => string
  /** What the state depends on. */
  readonly signature: string
}

/** Groups that are in their cool-down; beyond that the oldest begin anew. */
const MOST_GROUPS = 100_000
const MOST_SAMPLES = 10

/** [group, time of the first match that was let through, how many were] */
type Cooling = readonly (readonly [group: string, since: number, passed: number])[]
interface SuppressState {
  readonly inner: unknown
  /** Event time of the latest match, in ms; null before the first. */
  readonly time: number | null
  readonly cooling: Cooling
  readonly counts: readonly [suppressed: number, groupsForgotten: number, errors: number, samples: readonly string[]]
}

/**
 * The same executable, with cool-downs: matches of a group that was reported are swallowed for a time, and counted. It
 * depends on event time alone, and its state is part of the executor’s.
 */
export function suppressing(inner: Executable, suppression: Suppression): Executable {
  return executableAround(inner, ['suppress', suppression.signature], (changed) => ({
    ...(inner.reach === undefined ? {} : { reach: inner.reach + suppression.ms }),
    start: (out, state, trace) => {
      const saved = state as SuppressState | undefined
      const gate = new Gate(out, suppression, saved)
      return new SuppressingExecutor(changed.start(gate, saved?.inner, trace), gate)
    },
  }))
}

class SuppressingExecutor extends ExecutorAround {
  readonly #gate: Gate

  constructor(inner: Executor, gate: Gate) {
    super(inner)
    this.#gate = gate
  }

  override get stats(): ExecutorStats {
    const { stats } = this.inner
    const { suppressed, groupsForgotten, errors, samples } = this.#gate
    return {
      ...stats,
      evaluationErrors: stats.evaluationErrors + errors,
      errorSamples: [...stats.errorSamples, ...samples].slice(0, MOST_SAMPLES),
      dropped: { ...stats.dropped, suppressed, ...(groupsForgotten === 0 ? {} : { suppressGroups: groupsForgotten }) },
    }
  }

  override snapshot(): SuppressState {
    const { suppressed, groupsForgotten, errors, samples } = this.#gate
    return {
      inner: this.inner.snapshot(),
      time: this.#gate.time === -Infinity ? null : this.#gate.time,
      cooling: this.#gate.cooling(),
      counts: [suppressed, groupsForgotten, errors, samples],
    }
  }
}

/** Lets through what is not held down. */
class Gate extends Collector {
  suppressed = 0
  groupsForgotten = 0
  errors = 0
  samples: readonly string[] = []
  readonly #out: Collector
  readonly #suppression: Suppression
  #groups: Map<string, { readonly since: number; passed: number }>
  time = -Infinity
  #sweptAt = -Infinity

  constructor(out: Collector, suppression: Suppression, state: SuppressState | undefined) {
    super(Infinity)
    this.#out = out
    this.#suppression = suppression
    this.#groups = new Map(state?.cooling.map(([group, since, passed]) => [group, { since, passed }]))
    this.time = state?.time ?? -Infinity
    if (state !== undefined) [this.suppressed, this.groupsForgotten, this.errors, this.samples] = state.counts
  }

  override get isFull(): boolean {
    return this.#out.isFull
  }

  override get isFullOfTimeouts(): boolean {
    return this.#out.isFullOfTimeouts
  }

  override match(match: Match): void {
    if (this.#passes(match)) this.#out.match(match)
    else this.suppressed++
  }

  override drop(matches: number): void {
    this.#out.drop(matches)
  }

  override timeout(timeout: Parameters<Collector['timeout']>[0]): void {
    this.#out.timeout(timeout)
  }

  override late(event: StoredEvent): void {
    this.#out.late(event)
  }

  /** Groups still in their cool-down, oldest first. */
  cooling(): Cooling {
    const { ms } = this.#suppression
    return Array.from(this.#groups, ([group, { since, passed }]) => [group, since, passed] as const).filter(
      ([, since]) => this.time - since < ms,
    )
  }

  #passes(match: Match): boolean {
    const { ms, max } = this.#suppression
    const group = this.#groupOf(match)
    if (group === undefined) return true
    this.time = Math.max(this.time, match.time)
    const known = this.#groups.get(group)
    if (known !== undefined && this.time - known.since < ms) {
      if (known.passed >= max) return false
      known.passed++
      return true
    }
    this.#groups.delete(group)
    this.#groups.set(group, { since: this.time, passed: 1 })
    this.#forget()
    return true
  }

  /** Once in each cool-down what is over is let go: a group that never comes back keeps nothing. */
  #forget(): void {
    if (this.time - this.#sweptAt >= this.#suppression.ms) {
      this.#sweptAt = this.time
      this.#groups = new Map(this.cooling().map(([group, since, passed]) => [group, { since, passed }]))
    }
    for (const [group, { since }] of this.#groups) {
      if (this.#groups.size <= MOST_GROUPS) return
      this.#groups.delete(group)
      if (this.time - since < this.#suppression.ms) this.groupsForgotten++
    }
  }

  #groupOf(match: Match): string | undefined {
    try {
      return this.#suppression.groupOf(match)
    } catch (error) {
      // Whether it says the same as another cannot be told: rather one too many than one too few.
      this.errors++
      if (this.samples.length < MOST_SAMPLES)
        this.samples = [...this.samples, `${match.last.id}, suppress: ${messageOf(error)}`]
      return undefined
    }
  }
}
