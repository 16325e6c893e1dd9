import type { EndReason, Partial, Trace } from '../engine/partial.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { Deadlines } from './deadlines.js'
import { EVERYTHING, Keys, type KeyRuns } from './keys.js'
import { dropRuns, Limits, type StateBound } from './limits.js'
import { partialOf } from './partials.js'
import type { Done, Run } from './run.js'
import type { Read, ReadKey, Written } from './snapshot.js'

/** Every partial match of a pattern, by key, with when its windows close, within bounds. */
export class RunStore {
  readonly keys = new Keys()
  readonly deadlines: Deadlines
  readonly limits: Limits
  /** How many there are. */
  live = 0
  readonly #pattern: CompiledPattern
  readonly #trace: Trace | null

  constructor(pattern: CompiledPattern, trace: Trace | null) {
    this.#pattern = pattern
    this.#trace = trace
    this.deadlines = new Deadlines(pattern.within, pattern.gaps)
    this.limits = new Limits(pattern)
  }

  /** Told of each partial match that comes to nothing. */
  ended(key: string, run: Run, reason: EndReason, time: number): void {
    if (this.#trace !== null) this.#trace.ended(this.#partial(key, run), reason, time)
  }

  /** A partial match has begun: its window opens. */
  begun(runs: KeyRuns, time: number, at: number): void {
    this.deadlines.starts.push(runs, time, at)
    this.compact()
  }

  /** Forgets starts of which nothing is left, when they are most: they hold what is known of their keys. */
  compact(): void {
    const { starts } = this.deadlines
    if (starts.size > COMPACT_FROM && starts.size > this.live * 2) starts.filter(lives)
  }

  /**
   * Drops what bounds do not allow, after an event that made partial matches of a key, of which it has now `count`.
   * @throws BOUND_EXCEEDED when that is a failure
   */
  bound(key: string, count: number, time: number): void {
    const { limits } = this
    if (limits.allow(count, this.live, this.keys.size)) return
    const own = limits.excess('partialMatchesPerKey', count)
    if (own > 0) this.#drop('partialMatchesPerKey', key, own, limits.policyAt('partialMatchesPerKey', key), time)
    while (limits.excess('keys', this.keys.size) > 0) {
      const policy = limits.policyAt('keys', key)
      const victim = policy === 'drop-newest' ? key : this.#oldestKey()
      this.#drop('keys', victim, Infinity, 'drop-oldest', time)
    }
    while (limits.excess('partialMatches', this.live) > 0) {
      const policy = limits.policyAt('partialMatches', key)
      this.#drop('partialMatches', policy === 'drop-newest' ? key : this.#oldestKey(), 1, policy, time)
    }
  }

  /** Starts that are no more are forgotten here, so that the first in the queue is the oldest. */
  #oldestKey(): string {
    this.trimStarts()
    return this.deadlines.starts.owner?.key ?? ''
  }

  #drop(bound: StateBound, key: string, excess: number, policy: 'drop-oldest' | 'drop-newest', time: number): void {
    const runs = this.keys.get(key)
    if (runs === undefined || runs.head === null) return
    let gone = 0
    const list = dropRuns(runs.head, excess, policy, (run) => {
      gone++
      this.ended(key, run, { kind: 'bound', bound }, time)
    })
    this.live -= gone
    this.limits.count(bound, gone)
    this.keys.put(runs, list)
  }

  trimStarts(): void {
    const { starts } = this.deadlines
    while (starts.size > 0 && starts.owner?.head?.start !== starts.start) starts.shift()
  }

  /** Gap windows for which nobody waits any more: who goes on from a snapshot does not have them. */
  trimGaps(): void {
    this.deadlines.trimGaps((key, at, gap) => {
      for (let run = this.keys.get(key)?.head ?? null; run !== null; run = run.next)
        if (waitsFor(run, at, gap)) return true
      return false
    })
  }

  partials(key: string): Partial[] {
    const partials: Partial[] = []
    for (let run = this.keys.get(key)?.head ?? null; run !== null; run = run.next)
      partials.push(this.#partial(key, run))
    return partials
  }

  #partial(key: string, { state, first, last }: Run): Partial {
    const { nodes, elapsed, gaps } = state
    return partialOf(this.#pattern, key, { nodes, elapsed, gap: gaps[0], first, last })
  }

  /** What is to be written of each key. */
  *written(held: ReadonlyMap<string, readonly Done[]>): Generator<readonly [string, Written[], readonly Done[]]> {
    // By start: who goes on from a snapshot writes the same as who never stopped.
    const live = [...this.keys.live()].sort((a, b) => (a.head?.start ?? 0) - (b.head?.start ?? 0))
    for (const { key, head } of live) {
      const runs: Written[] = []
      for (let run: Run | null = head; run !== null; run = run.next)
        runs.push({ state: run.state.text, last: run.last, ways: run.ways })
      yield [key, runs, held.get(key) ?? []]
    }
  }

  /** Takes over what was read; windows open again in the order in which they were opened. */
  restore(read: readonly ReadKey<Run['state']>[]): void {
    const starts: [KeyRuns, Run][] = []
    const waiting: [string, Run][] = []
    for (const { key, runs } of read) {
      if (runs.length === 0) continue
      const of = this.keys.add(key)
      of.heed = EVERYTHING
      let before: Run | null = null
      for (const { state, ways, first, last } of runs as readonly Read<Run['state']>[]) {
        const run: Run = { state, ways, start: first.at, first, last, next: null }
        if (before === null) this.keys.put(of, run)
        else before.next = run
        if (before?.first !== first) starts.push([of, run])
        if (state.gaps.length > 0) waiting.push([key, run])
        before = run
        this.live++
      }
    }
    starts.sort(([, a], [, b]) => a.first.at - b.first.at)
    for (const [of, { first }] of starts) this.deadlines.starts.push(of, first.event.time, first.at)
    waiting.sort(([, a], [, b]) => a.last.at - b.last.at)
    for (const [key, run] of waiting) this.deadlines.open(run, key)
  }
}

/** What is less than this stays in the cache that is nearest. */
const COMPACT_FROM = 512

/** Whether its gap window of this length, open since its event at `at`, has yet to close. */
export function waitsFor({ last, state }: Run, at: number, gap: number): boolean {
  return last.at === at && state.elapsed < gap && state.gaps.includes(gap)
}

function lives({ head }: KeyRuns, start: number): boolean {
  let run = head
  while (run !== null && run.start < start) run = run.next
  return run?.start === start
}
