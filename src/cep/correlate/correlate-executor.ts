// CorrelateExecutor
//
// Events of several sides that belong together, within a window of event time from the first of them.
//
//   engine -> CorrelateExecutor:      take(event), passTime(time)
//   CorrelateExecutor -> collector:   match, with the outcome as values
//
// Invariants (tests cite them):
//   J1  A correlation has one outcome: complete when it is, partial or missing when its window closes.
//   J2  Windows close in the order in which they began. When somebody looks makes no difference.
//   J3  Each event is in one correlation at most, and on one side of it: the first that takes it.
import type { StoredEvent } from '../../event/event.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import { Tally, type SavedTally } from '../engine/tally.js'
import type { Partial, Trace } from '../engine/partial.js'
import { Ring } from '../engine/ring.js'
import type { CorrelatePlan, CorrelationValues, Side } from './correlate-plan.js'
import { Correlation, type SavedCorrelation } from './correlation.js'

export interface CorrelateState {
  readonly open: readonly SavedCorrelation[]
  readonly tally: SavedTally
}

const NONE_TAKEN = {}

export class CorrelateExecutor implements Executor {
  readonly #plan: CorrelatePlan
  readonly #out: Collector
  readonly #trace: Trace | undefined
  readonly #tally: Tally
  /** By key, by correlation id, or by the ids of their events. */
  readonly #by = new Map<string, Correlation>()
  /** By the end of their window, which is the order in which they began. */
  readonly #ring = new Ring<Correlation>()
  #live = 0
  /** Correlations before this number bring nothing when they end. */
  #dueAt = 0

  constructor(plan: CorrelatePlan, out: Collector, state: CorrelateState | undefined, trace: Trace | undefined) {
    this.#plan = plan
    this.#out = out
    this.#trace = trace
    this.#tally = new Tally(state?.tally)
    for (const saved of state?.open ?? []) {
      const correlation = new Correlation(plan, saved[0], saved[1], saved)
      this.#enter(correlation)
      for (const link of correlation.links) this.#by.set(link, correlation)
    }
  }

  take(event: StoredEvent, key: string): void {
    this.passTime(event.time)
    const group = this.#groupOf(event, key)
    const known = group === undefined ? undefined : this.#by.get(group)
    if (known === undefined) this.#begin(event, key)
    else {
      this.#link(known, event)
      if (known.state === 'over') this.#tally.drops.note('duplicates')
      else this.#join(known, event, key)
    }
  }

  passTime(time: number): void {
    for (let first = this.#head(); first !== undefined && first.end <= time; first = this.#head()) {
      if (first.state === 'open') this.#close(first)
      this.#forget(first)
    }
  }

  get due(): number {
    const { outcomes, soonest } = this.#plan
    if (outcomes.size === 1 && outcomes.has('complete') && soonest) return Infinity
    const ring = this.#ring
    this.#dueAt = Math.max(this.#dueAt, ring.begin)
    for (; this.#dueAt < ring.end; this.#dueAt++) {
      const correlation = ring.at(this.#dueAt) as Correlation
      if (correlation.state === 'open' && outcomes.has(correlation.outcome)) return correlation.end
    }
    return Infinity
  }

  get horizon(): number {
    return this.#head()?.start ?? Infinity
  }

  get stats(): ExecutorStats {
    return {
      keys: this.#live,
      partialMatches: this.#live,
      ...this.#tally.stats,
    }
  }

  partials(key: string): readonly Partial[] {
    const known = this.#by.get(key)
    return known?.state === 'open' ? [known.partial()] : []
  }

  snapshot(): CorrelateState {
    const open = this.#ring.list().filter(({ state }) => state !== 'gone')
    return {
      open: open.map((correlation) => correlation.save()),
      tally: this.#tally.save(),
    }
  }

  /** Under what the event’s correlation is known, if it is. */
  #groupOf({ id, correlationId, causationId }: StoredEvent, key: string): string | undefined {
    const { by } = this.#plan
    return by === 'key' ? key : by === 'correlation' ? (correlationId ?? id) : causationId
  }

  #begin(event: StoredEvent, key: string): void {
    const side = this.#plan.sides.findIndex((each, at) => each.starts && this.#takes(at, event, undefined, key))
    if (side < 0) return
    const { correlations: most, policy } = this.#plan.limits
    if (this.#live >= most) {
      if (!this.#tally.drops.makeRoom(policy, 'correlations', most, key)) return
      const oldest = this.#head()
      if (oldest !== undefined) {
        if (oldest.state === 'open')
          this.#trace?.ended(oldest.partial(), { kind: 'bound', bound: 'correlations' }, event.time)
        this.#forget(oldest)
      }
    }
    const group = this.#plan.by === 'cause' ? event.id : (this.#groupOf(event, key) as string)
    const correlation = new Correlation(this.#plan, group, event.time + this.#plan.within)
    correlation.add(side, event)
    this.#enter(correlation)
    this.#link(correlation, event)
    this.#mayComplete(correlation, event.time)
  }

  #enter(correlation: Correlation): void {
    correlation.at = this.#ring.end
    this.#ring.push(correlation)
    this.#live++
    if (this.#plan.by !== 'cause') this.#by.set(correlation.group, correlation)
  }

  /** What the event causes will be of the same correlation. */
  #link(correlation: Correlation, { id }: StoredEvent): void {
    if (this.#plan.by !== 'cause' || this.#by.get(id) === correlation) return
    if (correlation.links.length >= this.#plan.limits.links) return this.#tally.drops.note('links')
    correlation.links.push(id)
    this.#by.set(id, correlation)
  }

  #join(correlation: Correlation, event: StoredEvent, key: string): void {
    let taker = -1
    let full = -1
    const { sides } = this.#plan
    for (let side = 0; side < sides.length; side++) {
      if (!this.#takes(side, event, correlation, key)) continue
      if (correlation.countOf(side) < (sides[side] as Side).max) {
        taker = side
        break
      }
      if (full < 0) full = side
    }
    if (taker < 0) {
      if (full < 0) return
      this.#tally.drops.note('duplicates')
      if (this.#plan.duplicates === 'first') return
      taker = full
      correlation.dropOldest(taker)
    } else if (!this.#hasRoom(correlation, taker, key)) return
    correlation.add(taker, event)
    this.#dueAt = Math.min(this.#dueAt, correlation.at)
    this.#mayComplete(correlation, event.time)
  }

  #hasRoom(correlation: Correlation, side: number, key: string): boolean {
    const { eventsPerSide: most, policy } = this.#plan.limits
    if (correlation.countOf(side) < most) return true
    if (!this.#tally.drops.makeRoom(policy, 'eventsPerSide', most, key)) return false
    correlation.dropOldest(side)
    return true
  }

  #takes(side: number, event: StoredEvent, correlation: Correlation | undefined, key: string): boolean {
    const { name, types, where } = this.#plan.sides[side] as Side
    if (types.size > 0 && !types.has(event.type)) return false
    if (where === undefined) return true
    return this.#tally.holds(
      () => where(event, correlation?.taken ?? NONE_TAKEN, key),
      () => `${event.id}, ${name}`,
    )
  }

  #mayComplete(correlation: Correlation, time: number): void {
    const isOver = this.#plan.soonest ? correlation.isReady : correlation.isFull
    if (!isOver) return
    this.#put(correlation, time)
    if (this.#plan.again) this.#forget(correlation)
    else correlation.finish('over')
  }

  /** Its window closes. */
  #close(correlation: Correlation): void {
    if (!this.#put(correlation, correlation.end))
      this.#trace?.ended(correlation.partial(), { kind: 'window' }, correlation.end)
  }

  /** @returns whether there is a match */
  #put(correlation: Correlation, time: number): boolean {
    const { outcomes, having } = this.#plan
    const { group: key, outcome, missing, start, end, events } = correlation
    const [first, last] = [events[0], events.at(-1)]
    if (first === undefined || last === undefined || !outcomes.has(outcome)) return false
    const values: CorrelationValues = { outcome, missing, start, end }
    const wanted =
      having === undefined ||
      this.#tally.holds(
        () => having(values, key),
        () => `${key}, having`,
      )
    if (!wanted) return false
    this.#out.match({
      kind: 'match',
      key,
      stages: correlation.stages(),
      events: [...events],
      first,
      last,
      time,
      values,
    })
    return true
  }

  #forget(correlation: Correlation): void {
    if (correlation.state === 'gone') return
    for (const link of this.#plan.by === 'cause' ? correlation.links : [correlation.group])
      if (this.#by.get(link) === correlation) this.#by.delete(link)
    correlation.finish('gone')
    this.#live--
  }

  /** The one whose window closes first. */
  #head(): Correlation | undefined {
    while (this.#ring.first?.state === 'gone') this.#ring.shift()
    return this.#ring.first
  }
}
