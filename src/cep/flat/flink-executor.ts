// Source: the behaviour of Flink's NFA (flink-cep 2.0, NFA and AfterMatchSkipStrategy), which the conformance cases were
// recorded from: one computation per place, walked in the order of its heap, and matches that are held back.
import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import type { EndReason, Partial, Trace } from '../engine/partial.js'
import type { Bound } from '../pattern/pattern.js'
import { ruledOutBy } from './after-match.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { byStart, startOf, type Computation, type KeyState } from './computation.js'
import { completes, explore } from './explore.js'
import type { Node } from './graph.js'
import { Heap } from './heap.js'
import { layOutFound } from './lay-out-found.js'
import { Limits } from './limits.js'
import { endOf, partialOf } from './partials.js'
import { take, unbound, type Done, type Taking } from './run.js'
import { readRuns, writeRuns, type FlatState } from './snapshot.js'
import { Truth } from './truth.js'

/** Runs a pattern exactly as Flink's NFA does, quirks included. For comparison and migration: it is not made for speed. */
export class FlinkExecutor implements Executor {
  readonly #pattern: CompiledPattern
  readonly #out: Collector
  readonly #trace: Trace | null
  readonly #truth = new Truth()
  readonly #limits: Limits
  readonly #none: Bound
  readonly #keys = new Map<string, KeyState>()
  #at = 0

  constructor(pattern: CompiledPattern, out: Collector, state: FlatState | undefined, trace: Trace | undefined) {
    this.#pattern = pattern
    this.#out = out
    this.#trace = trace ?? null
    this.#limits = new Limits(pattern)
    this.#none = unbound(pattern)
    if (state !== undefined) this.#restore(state)
  }

  take(event: StoredEvent, key: string): void {
    const at = this.#at++
    const { types, anyType } = this.#pattern
    const bits = types.get(event.type) ?? anyType
    if (bits === 0 && !types.has(event.type)) return
    const state = this.#keys.get(key) ?? this.#newKey(key)
    this.#passTime(state, event.time)
    this.#truth.begin(event, key, bits)
    const next = new Heap<Computation>(byStart)
    const done = new Heap<Done>(byStart)
    for (const computation of state.partial.list) this.#step(computation, event, at, key, next, done)
    this.#settle(state, done, next, event.time)
    if (state.partial.list.length === 1) this.#keys.delete(key)
    else this.#bound(state, event.time)
  }

  passTime(time: number): void {
    for (const state of this.#keys.values()) {
      this.#passTime(state, time)
      if (state.partial.list.length === 1) this.#keys.delete(state.key)
    }
  }

  #newKey(key: string): KeyState {
    const state: KeyState = { key, partial: new Heap<Computation>(byStart), completed: new Heap<Done>(byStart) }
    state.partial.push({ state: this.#pattern.states.begin, first: null, last: null })
    this.#keys.set(key, state)
    return state
  }

  #step(
    from: Computation,
    event: StoredEvent,
    at: number,
    key: string,
    next: Heap<Computation>,
    done: Heap<Done>,
  ): void {
    const { state, first, last } = from
    const truth = this.#truth.of(state.watch, state.conditions, last?.bound ?? this.#none)
    const { edges, stopped } = explore(state.nodes[0] as Node, truth)
    const retained: Computation[] = []
    const before = done.list.length
    for (const { action, source, target } of edges) {
      if (action === 'ignore') {
        if (first === null) continue
        if (target.kind === 'final') done.push({ first, last: last as Taking })
        else retained.push({ state: this.#pattern.states.of([target]), first, last })
        continue
      }
      const taking = take(this.#pattern, this.#none, last, event, source.step, at)
      const begun = first ?? taking
      if (target.kind !== 'final')
        retained.push({ state: this.#pattern.states.of([target]), first: begun, last: taking })
      if (completes(target, truth)) done.push({ first: begun, last: taking })
    }
    if (first === null) retained.push(from)
    if (stopped === null) for (const computation of retained) next.push(computation)
    if (first !== null && (stopped !== null || retained.length === 0) && done.list.length === before)
      this.#ended(key, from, endOf({ stopped }, event), event.time)
  }

  /** Everything of a key whose window is over at `time` ends, in the order in which it lies. */
  #passTime(state: KeyState, time: number): void {
    const { within } = this.#pattern
    const next = new Heap<Computation>(byStart)
    const done = new Heap<Done>(byStart)
    for (const computation of state.partial.list) {
      const { first, last } = computation
      const node = computation.state.nodes[0] as Node
      const gapOver = last !== null && time - last.event.time >= node.gap
      if (first === null || last === null || !(gapOver || (within !== null && time - first.event.time >= within))) {
        next.push(computation)
        continue
      }
      if (node.kind === 'pending') {
        done.push({ first, last })
        continue
      }
      const end = gapOver ? last.event.time + node.gap : first.event.time + (within ?? 0)
      this.#out.timeout({ kind: 'timeout', ...layOutFound(this.#pattern, state.key, last, end), ways: 1 })
      this.#ended(state.key, computation, { kind: 'window' }, end)
    }
    this.#settle(state, done, next, time)
  }

  #settle(state: KeyState, done: Heap<Done>, next: Heap<Computation>, time: number): void {
    const { completed } = state
    for (const match of done.list) completed.push(match)
    const skips = this.#pattern.skip.type !== 'none'
    for (let match = completed.first; match !== undefined; match = completed.first) {
      if (skips && next.first !== undefined && startOf(next.first) < startOf(match)) break
      completed.shift()
      if (skips) this.#prune(state, ruledOutBy(this.#pattern, match), next, time)
      if (this.#out.isFull) this.#out.drop(1)
      else this.#out.match({ kind: 'match', ...layOutFound(this.#pattern, state.key, match.last, time) })
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
    const count = state.partial.list.length - 1
    const excess = this.#limits.excess('partialMatchesPerKey', count)
    if (excess <= 0) return
    const policy = this.#limits.policyAt('partialMatchesPerKey', state.key)
    const oldest = state.partial.list.filter(({ first }) => first !== null).sort(byStart)
    const gone = new Set(policy === 'drop-oldest' ? oldest.slice(0, excess) : oldest.slice(count - excess))
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
    return Math.min(Infinity, ...this.#computations().map(({ first }) => first?.event.time ?? Infinity))
  }

  /** Any window that closes may let a match go that is held back. */
  get due(): number {
    const within = this.#pattern.within ?? Infinity
    let due = Infinity
    for (const { state, first, last } of this.#computations())
      due = Math.min(
        due,
        (first?.event.time ?? Infinity) + within,
        (last?.event.time ?? Infinity) + (state.nodes[0]?.gap ?? Infinity),
      )
    return due
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
      const state: KeyState = { key, partial: new Heap<Computation>(byStart), completed: new Heap<Done>(byStart) }
      for (const run of runs)
        state.partial.push(run.last === null ? { state: run.state, first: null, last: null } : run)
      for (const done of held) state.completed.push(done)
      this.#keys.set(key, state)
    }
    this.#at = snapshot.at
    this.#limits.dropped = { ...snapshot.dropped }
    this.#truth.errors = snapshot.evaluationErrors
    this.#truth.samples.push(...snapshot.errorSamples)
  }
}
