import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import type { EndReason, Partial, Trace } from '../engine/partial.js'
import type { CompiledTree } from './compile-tree.js'
import { FilterConditions } from './filter-conditions.js'
import { KeyTree, type TreeHost } from './key-tree.js'
import { layOutTaken } from './lay-out-taken.js'
import type { Live, Timer } from './live.js'
import type { FilterPlan } from './plan.js'
import type { Taken } from './taken.js'
import { TimerQueue } from './timer-queue.js'
import { TreeBounds } from './tree-bounds.js'
import { TreeDues } from './tree-dues.js'
import { partialsOf } from './tree-partials.js'
import { StateReader, StateWriter, type TreeState } from './tree-state.js'

/** Runs a tree for each key, with one object for each part that is under way. */
export class TreeExecutor implements Executor, TreeHost {
  readonly #tree: CompiledTree
  readonly #out: Collector
  readonly #trace: Trace | undefined
  readonly #conditions: FilterConditions
  readonly #bounds: TreeBounds
  readonly #keys = new Map<string, KeyTree>()
  /** Keys whose tree has ended. */
  readonly #ended = new Set<string>()
  /** With `forget`: time of the last event of each key that is known, the longest ago first. */
  readonly #seen = new Map<string, number>()
  readonly #timers = new TimerQueue<Timer>()
  readonly #dues: TreeDues
  #order = 0
  now = -Infinity

  constructor(tree: CompiledTree, out: Collector, state: TreeState | undefined, trace: Trace | undefined) {
    this.#tree = tree
    this.#out = out
    this.#trace = trace
    this.#conditions = new FilterConditions(tree.running, tree.filters.length)
    this.#bounds = new TreeBounds(tree.limits, tree.policies)
    this.#dues = new TreeDues(tree.timed, tree.forget)
    if (state !== undefined) this.#restore(state)
  }

  take(event: StoredEvent, key: string): void {
    const at = this.nextOrder()
    this.passTime(event.time)
    const { types, anyType, plan } = this.#tree
    const filters = types.get(event.type) ?? anyType
    if (filters.length === 0 && !types.has(event.type)) return
    let tree = this.#keys.get(key)
    if (tree === undefined && !this.#ended.has(key)) {
      // A tree that would be as at its beginning after this event need not begin.
      if (plan.returns && !filters.some(({ starts }) => starts)) return
      tree = this.#begin(key, event)
      if (tree === undefined) return
    }
    this.#see(key)
    if (tree === undefined) return
    tree.seen = event.time
    this.#conditions.next()
    if (!tree.over) tree.show(event, at, filters)
    this.#settle(tree)
  }

  #begin(key: string, event: StoredEvent): KeyTree | undefined {
    const room = this.#bounds.overcrowded(key, this.#keys.size + this.#ended.size)
    if (room !== 'no') {
      this.#bounds.dropped.keys++
      const [oldest] = this.#ended.size > 0 ? this.#ended : this.#keys.keys()
      if (room === 'newest' || oldest === undefined) return undefined
      this.#forget(oldest, { kind: 'bound', bound: 'keys' })
    }
    const tree = new KeyTree(this, this.#tree.plan, this.#tree.filters.length, key, event, event.time)
    this.#keys.set(key, tree)
    tree.root.start(null)
    return tree
  }

  #see(key: string): void {
    if (this.#tree.forget === Infinity) return
    this.#seen.delete(key)
    this.#seen.set(key, this.now)
  }

  /** Puts a key's tree away when it has ended, or when it is as at its beginning. */
  #settle(tree: KeyTree): void {
    const fresh = !tree.over && this.#tree.plan.idle !== 0 && tree.root.isFresh
    if (!tree.over && !fresh) {
      this.#dues.update(tree)
      return
    }
    tree.root.quit()
    this.#keys.delete(tree.key)
    this.#dues.remove(tree)
    if (fresh) this.#seen.delete(tree.key)
    else this.#ended.add(tree.key)
  }

  #forget(key: string, reason: EndReason): void {
    this.#seen.delete(key)
    this.#ended.delete(key)
    const tree = this.#keys.get(key)
    if (tree === undefined) return
    this.ended(tree, tree.root, reason)
    tree.root.quit()
    this.#keys.delete(key)
    this.#dues.remove(tree)
  }

  passTime(time: number): void {
    for (;;) {
      const [longest] = this.#seen
      const forget = longest === undefined ? Infinity : longest[1] + this.#tree.forget
      const next = Math.min(this.#timers.time, forget)
      if (!(next <= time) || next === Infinity) break
      this.now = this.#tree.jumps ? time : Math.max(this.now, next)
      const timer = this.#timers.take(next)
      if (timer !== undefined) {
        timer.fire()
        this.#settle(timer.ground as KeyTree)
      } else if (longest !== undefined) this.#forget(longest[0], { kind: 'bound', bound: 'forget' })
    }
    this.now = Math.max(this.now, time)
  }

  nextOrder(): number {
    return this.#order++
  }

  set(timer: Timer): void {
    this.#timers.push(timer)
  }

  cancel(): void {
    this.#timers.cancelled()
  }

  hold(by: number): void {
    this.#bounds.held += by
  }

  overfull({ key, held }: KeyTree): 'no' | 'oldest' | 'newest' {
    return this.#bounds.overfull(key, held)
  }

  get most(): number {
    return this.#tree.limits.matchesPerAdvance
  }

  dropMatches(count: number): void {
    this.#out.drop(count)
  }

  dropped(tree: KeyTree, part: Live | null): void {
    this.#bounds.dropped.partialMatches++
    if (part !== null) this.ended(tree, part, { kind: 'bound', bound: 'partialMatches' })
  }

  ended({ key }: KeyTree, part: Live, reason: EndReason): void {
    if (this.#trace === undefined) return
    for (const partial of partialsOf(key, part)) this.#trace.ended(partial, reason, this.now)
  }

  satisfies(filter: FilterPlan, event: StoredEvent, begin: Taken | null, key: string): boolean {
    return this.#conditions.satisfies(filter, event, begin, key)
  }

  match({ key, origin }: KeyTree, taken: Taken | null): void {
    if (this.#out.isFull) this.#out.drop(1)
    else this.#out.match({ kind: 'match', ...layOutTaken(key, taken, origin, this.now) })
  }

  get due(): number {
    return this.#dues.time
  }

  /** Trees are in order of their beginnings. */
  get horizon(): number {
    const [first] = this.#keys.values()
    return first?.began ?? Infinity
  }

  partials(key: string): readonly Partial[] {
    const tree = this.#keys.get(key)
    return tree === undefined ? [] : partialsOf(key, tree.root)
  }

  get stats(): ExecutorStats {
    return {
      keys: this.#keys.size + this.#ended.size,
      partialMatches: this.#bounds.held,
      evaluationErrors: this.#conditions.errors,
      errorSamples: [...this.#conditions.samples],
      dropped: { ...this.#bounds.dropped },
    }
  }

  snapshot(): TreeState {
    const writer = new StateWriter()
    const keys = Array.from(this.#keys.values(), ({ key, began, seen, origin, root }) => {
      return [key, began, seen, writer.event(origin), root.write(writer)] as const
    })
    return {
      order: this.#order,
      now: this.now === -Infinity ? null : this.now,
      events: writer.events,
      taken: writer.rows,
      keys,
      seen: [...this.#seen],
      ended: [...this.#ended],
      evaluationErrors: this.#conditions.errors,
      errorSamples: [...this.#conditions.samples],
      dropped: { ...this.#bounds.dropped },
    }
  }

  #restore(state: TreeState): void {
    const reader = new StateReader(state)
    this.now = state.now ?? -Infinity
    for (const [key, began, seen, origin, root] of state.keys) {
      const tree = new KeyTree(this, this.#tree.plan, this.#tree.filters.length, key, reader.event(origin), began)
      tree.seen = seen
      tree.root.read(root, reader)
      tree.sort()
      this.#keys.set(key, tree)
      this.#dues.update(tree)
    }
    for (const [key, time] of state.seen) this.#seen.set(key, time)
    for (const key of state.ended) this.#ended.add(key)
    this.#order = state.order
    this.#conditions.errors = state.evaluationErrors
    this.#conditions.samples.push(...state.errorSamples)
    Object.assign(this.#bounds.dropped, state.dropped)
  }
}
