// Source: the behaviour of Flink's NFA (flink-cep 2.0, NFA and AfterMatchSkipStrategy), which the conformance cases were
// recorded from: one computation per place, walked in the order of its heap, and matches that are held back.
import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import type { EndReason, Partial, Trace } from '../engine/partial.js'
import type { Bound } from '../pattern/pattern.js'
import { ruledOutBy } from './after-match.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { beyond, byStart, dueOf, horizonOf, inHeap, startOf, type Computation, type KeyState } from './computation.js'
import { FlinkMoves, type FlinkMove } from './flink-moves.js'
import { FlatMatch, FlatTimeout } from './found.js'
import type { Node } from './graph.js'
import { Heap } from './heap.js'
import { Limits } from './limits.js'
import { endOf, partialOf } from './partials.js'
import { take, unbound, type Done, type Taking } from './run.js'
import { readRuns, writeRuns, type FlatState } from './snapshot.js'
import type { State } from './state.js'
import { Truth } from './truth.js'

/** Runs a pattern exactly as Flink's NFA does, quirks included. For comparison and migration: it is not made for speed. */
export class FlinkExecutor implements Executor {
  readonly #pattern: CompiledPattern
  readonly #out: Collector
  readonly #trace: Trace | null
  readonly #truth: Truth
  readonly #limits: Limits
  readonly #none: Bound
  readonly #moves: FlinkMoves
  /** What every match begins from. */
  readonly #begin: Computation
  readonly #keys = new Map<string, KeyState>()
  #at = 0

  constructor(pattern: CompiledPattern, out: Collector, state: FlatState | undefined, trace: Trace | undefined) {
    this.#pattern = pattern
    this.#out = out
    this.#trace = trace ?? null
    this.#truth = new Truth(pattern.conditions)
    this.#limits = new Limits(pattern)
    this.#none = unbound(pattern)
    this.#moves = new FlinkMoves(pattern.states)
    this.#begin = this.#computation(pattern.states.begin, null, null)
    if (state !== undefined) this.#restore(state)
  }

  take(event: StoredEvent, key: string): void {
    const at = this.#at++
    const bits = this.#pattern.types.of(event.type)
    if (bits === undefined) return
    this.#truth.begin(bits)
    const known = this.#keys.get(key)
    if (known === undefined && this.#moveOf(this.#begin, event, key).idle) return
    const state = known ?? this.#newKey(key)
    if (this.#isDue(state, event.time)) this.#passTime(state, event.time)
    const { list } = state.partial
    // As long as nothing moves, the heap stays as it is: to build it anew from itself would give the same.
    let next: Heap<Computation> | null = null
    const done: Done[] = []
    for (let i = 0; i < list.length; i++) {
      const computation = list[i] as Computation
      const move = this.#moveOf(computation, event, key)
      if (!move.idle) {
        next ??= new Heap<Computation>(byStart, list.slice(0, i))
        this.#step(computation, move, event, at, key, next, done)
      } else next?.push(computation)
    }
    if (next !== null) this.#settle(state, done, next, event.time)
    if (state.partial.list.length === 1) this.#keys.delete(key)
    else if (next !== null) this.#bound(state, event.time)
  }

  #moveOf({ state, moves, last }: Computation, event: StoredEvent, key: string): FlinkMove {
    const bound = last === null ? this.#none : last.bound
    const truth = this.#truth.of(state.watch, state.conditions, bound, event, key)
    return moves[truth] ?? this.#moves.make(state, truth)
  }

  passTime(time: number): void {
    for (const state of this.#keys.values()) {
      if (this.#isDue(state, time)) this.#passTime(state, time)
      if (state.partial.list.length === 1) this.#keys.delete(state.key)
    }
  }

  /** Whether a window of the key may be over: of the whole pattern, that of what began first is over first. */
  #isDue({ partial }: KeyState, time: number): boolean {
    const { within, gaps } = this.#pattern
    if (gaps.length > 0) return true
    const first = partial.first?.first ?? null
    return within !== null && first !== null && time - first.event.time >= within
  }

  #newKey(key: string): KeyState {
    const state: KeyState = { key, partial: new Heap(byStart, [this.#begin]), completed: new Heap<Done>(byStart) }
    this.#keys.set(key, state)
    return state
  }

  #computation(state: State, first: Taking | null, last: Taking | null): Computation {
    return { state, moves: this.#moves.of(state), first, last }
  }

  #step(
    from: Computation,
    { ways, stopped }: FlinkMove,
    event: StoredEvent,
    at: number,
    key: string,
    next: Heap<Computation>,
    done: Done[],
  ): void {
    const { first, last } = from
    let live = false
    const before = done.length
    for (const { step, state, completes } of ways) {
      if (step === -1 && first === null) continue
      const taking = step === -1 ? (last as Taking) : take(this.#pattern, this.#none, last, event, step, at)
      const begun = first ?? taking
      if (state !== null) {
        live = true
        next.push(this.#computation(state, begun, taking))
      }
      if (completes) done.push({ first: begun, last: taking })
    }
    if (first === null) next.push(from)
    else if (!live && done.length === before) this.#ended(key, from, endOf({ stopped }, event), event.time)
  }

  /** Everything of a key whose window is over at `time` ends, in the order in which it lies. */
  #passTime(state: KeyState, time: number): void {
    const { within } = this.#pattern
    const next = new Heap<Computation>(byStart)
    const done: Done[] = []
    for (const computation of state.partial.list) {
      const { first, last } = computation
      const node = computation.state.nodes[0] as Node
      const gapOver = last !== null && time - last.event.time >= node.gap
      if (first === null || last === null || !(gapOver || (within !== null && time - first.event.time >= within)))
        next.push(computation)
      else if (node.kind === 'pending') done.push({ first, last })
      else {
        const end = gapOver ? last.event.time + node.gap : first.event.time + (within ?? 0)
        this.#out.timeout(new FlatTimeout(this.#pattern.steps, state.key, first, last, end, 1))
        this.#ended(state.key, computation, { kind: 'window' }, end)
      }
    }
    this.#settle(state, done, next, time)
  }

  #settle(state: KeyState, done: readonly Done[], next: Heap<Computation>, time: number): void {
    const { completed } = state
    for (const match of inHeap(done)) completed.push(match)
    const skips = this.#pattern.skip.type !== 'none'
    for (let match = completed.first; match !== undefined; match = completed.first) {
      if (skips && next.first !== undefined && startOf(next.first) < startOf(match)) break
      completed.shift()
      if (skips) this.#prune(state, ruledOutBy(this.#pattern, match), next, time)
      if (this.#out.isFull) this.#out.drop(1)
      else this.#out.match(new FlatMatch(this.#pattern.steps, state.key, match.first, match.last, time))
    }
    state.partial = next
  }

  #prune(state: KeyState, { from, to }: ReturnType<typeof ruledOutBy>, next: Heap<Computation>, time: number): void {
    next.filter((computation) => {
      const start = startOf(computation)
      if (start < from || start > to) return true
      this.#ended(state.key, computation, { kind: 'skipped' }, time)
      return false
    })
    state.completed.filter(({ first }) => first.at < from || first.at > to)
  }

  #bound(state: KeyState, time: number): void {
    const excess = this.#limits.excess('partialMatchesPerKey', state.partial.list.length - 1)
    if (excess <= 0) return
    const policy = this.#limits.policyAt('partialMatchesPerKey', state.key)
    const gone = new Set(beyond(state.partial.list, excess, policy))
    for (const each of gone) this.#ended(state.key, each, { kind: 'bound', bound: 'partialMatchesPerKey' }, time)
    state.partial.filter((computation) => !gone.has(computation))
    this.#limits.count('partialMatchesPerKey', gone.size)
  }

  #ended(key: string, computation: Computation, reason: EndReason, time: number): void {
    const partial = this.#trace === null ? null : this.#partial(key, computation)
    if (partial !== null) this.#trace?.ended(partial, reason, time)
  }

  #partial(key: string, { state, first, last }: Computation): Partial | null {
    if (first === null || last === null) return null
    const gap = state.nodes[0]?.gap ?? Infinity
    return partialOf(this.#pattern, key, { ...state, gap: gap === Infinity ? undefined : gap, first, last })
  }

  partials(key: string): readonly Partial[] {
    const list = [...(this.#keys.get(key)?.partial.list ?? [])].sort(byStart)
    return list.flatMap((computation) => this.#partial(key, computation) ?? [])
  }

  #computations(): Computation[] {
    const all = Array.from(this.#keys.values(), ({ partial }) => partial.list).flat()
    return all.filter(({ first }) => first !== null)
  }

  get horizon(): number {
    return horizonOf(this.#computations())
  }

  /** Any window that closes may let a match go that is held back. */
  get due(): number {
    return dueOf(this.#computations(), this.#pattern.within ?? Infinity)
  }

  get stats(): ExecutorStats {
    return {
      keys: this.#keys.size,
      partialMatches: this.#computations().length,
      evaluationErrors: this.#truth.errors,
      errorSamples: [...this.#truth.samples],
      dropped: { ...this.#limits.dropped },
    }
  }

  snapshot(): FlatState {
    const written = Array.from(this.#keys.values(), ({ key, partial, completed }) => {
      const runs = partial.list.map(({ state, last }) => ({ state: state.text, last, ways: null }))
      return [key, runs, completed.list] as const
    })
    const { evaluationErrors, errorSamples, dropped } = this.stats
    return { at: this.#at, ...writeRuns(written), evaluationErrors, errorSamples, dropped }
  }

  #restore(snapshot: FlatState): void {
    const { states } = this.#pattern
    for (const { key, runs, held } of readRuns(this.#pattern, snapshot, (text) => states.restore(text))) {
      const list = runs.map((run) =>
        run.last === null ? this.#begin : this.#computation(run.state, run.first, run.last),
      )
      this.#keys.set(key, { key, partial: new Heap(byStart, list), completed: new Heap(byStart, [...held]) })
    }
    this.#at = snapshot.at
    this.#limits.dropped = { ...snapshot.dropped }
    this.#truth.errors = snapshot.evaluationErrors
    this.#truth.samples.push(...snapshot.errorSamples)
  }
}
