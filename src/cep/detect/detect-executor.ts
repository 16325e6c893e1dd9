// DetectExecutor
//
// A detector at work: one for each key, or one for all; what it scores, and when that is an alarm.
//
//   engine -> DetectExecutor:       take(event), passTime(time)
//   DetectExecutor -> Detector:     observe(value), overdue()
//   DetectExecutor -> decide:       (score) is it an alarm?
//
// Invariants (tests cite them):
//   AN1  A snapshot between any two inputs changes nothing that comes after it.
//   AN2  What is no finite number is neither scored nor learnt from, and is counted.
//   AN3  A key that was not heard of for `idle` of event time leaves nothing behind; keys never exceed their bound.
//   AN4  A silence is found once, at the event time at which it was due, whenever time is told.
import type { StoredEvent } from '../../event/event.js'
import { EarliestHeap, NOT_QUEUED, type Queued } from '../../time/earliest-heap.js'
import type { Collector } from '../engine/collector.js'
import type { Executor, ExecutorStats } from '../engine/executor.js'
import type { Trace } from '../engine/partial.js'
import { Tally } from '../engine/tally.js'
import type { DetectPlan, Detection, Reading } from './compile-detect.js'
import { newStanding, type Standing } from './decision.js'
import type { DetectState } from './detect-state.js'
import { Judge } from './judge.js'
import { usable, type Deadline, type Detector, type Score } from './detector.js'

type AnyDetector = Detector<number | readonly number[]> & Partial<Deadline>

/** A key. Queued by when its silence is a finding, which may have become later since. */
interface Watch extends Queued {
  readonly key: string
  readonly detector: AnyDetector
  readonly standing: Standing
  /** Time of its first event. */
  readonly since: number
  /** Its last event, where silence is waited for; else only the time. */
  last: StoredEvent | null
  heard: number
}

export class DetectExecutor implements Executor {
  readonly #plan: DetectPlan
  readonly #out: Collector
  readonly #judge: Judge
  readonly #tally: Tally
  readonly #shared: AnyDetector | null
  /** In order of last event, the one longest ago first. */
  readonly #keys = new Map<string, Watch>()
  readonly #due = new EarliestHeap<Watch>()
  #order: number
  /** Time of the earliest event that anything was learnt from; undefined: to be looked for. */
  #oldest: number | undefined

  constructor(plan: DetectPlan, out: Collector, state?: DetectState, trace?: Trace) {
    this.#plan = plan
    this.#out = out
    this.#judge = new Judge(plan.decision, trace)
    this.#tally = new Tally(state?.tally)
    this.#order = state?.order ?? 0
    this.#shared =
      plan.detector.scope === 'rule' ? (plan.detector.start(state?.shared ?? undefined) as AnyDetector) : null
    for (const [key, order, since, heard, standing, last, saved] of state?.keys ?? []) {
      const watch = this.#enter(key, order, since, saved)
      watch.heard = heard
      watch.last = last
      for (const [i, part] of standing.entries()) watch.standing[i] = part
      this.#queue(watch)
    }
  }

  take(event: StoredEvent, key: string): void {
    this.passTime(event.time)
    if (!this.#wants(event, key)) return
    const value = this.#read(event)
    if (value === undefined) return
    const watch = this.#heard(event, key)
    if (watch === undefined) return
    const score = watch.detector.observe(value, event.time, key)
    this.#queue(watch)
    if (this.#judge.isAlarm(key, watch.standing, event, value, score) && score !== null)
      this.#put(event, key, event.time, value, score)
  }

  passTime(time: number): void {
    for (let next = this.#next(); next !== undefined && next.due <= time; next = this.#next()) {
      const { due, key, last } = next
      this.#due.remove(next)
      const score = next.detector.overdue?.()
      if (score !== undefined && last !== null) {
        // silence is one finding by nature: it asks for no other value, and no score has gone before it
        this.#put(last, key, due, null, score)
        this.#judge.silence(key, last, due, score)
      }
    }
    for (const watch of this.#keys.values()) {
      if (watch.heard + this.#plan.idle > time) break
      this.#forget(watch)
    }
  }

  get due(): number {
    return this.#next()?.due ?? Infinity
  }

  get horizon(): number {
    if (this.#oldest === undefined) {
      this.#oldest = Infinity
      for (const { since } of this.#keys.values()) this.#oldest = Math.min(this.#oldest, since)
    }
    return this.#oldest
  }

  get stats(): ExecutorStats {
    return { keys: this.#keys.size, partialMatches: 0, ...this.#tally.stats }
  }

  snapshot(): DetectState {
    return {
      order: this.#order,
      keys: Array.from(this.#keys.values(), ({ key, order, since, heard, standing, last, detector }) => [
        key,
        order,
        since,
        heard,
        [...standing],
        last,
        this.#shared === null ? detector.snapshot() : null,
      ]),
      shared: this.#shared?.snapshot() ?? null,
      tally: this.#tally.save(),
    }
  }

  #wants(event: StoredEvent, key: string): boolean {
    const { types, where } = this.#plan
    if (types.size > 0 && !types.has(event.type)) return false
    if (where === undefined) return true
    return this.#tally.holds(
      () => where(event, key),
      () => `${event.id}, where`,
    )
  }

  /** @returns undefined when there is nothing to score; that is counted */
  #read(event: StoredEvent): number | readonly number[] | undefined {
    const { dimensions } = this.#plan.detector
    if (dimensions === 0) return 0
    let reading: Reading
    try {
      reading = this.#plan.value(event)
    } catch (error) {
      this.#tally.errors.note(`${event.id}, value`, error)
      return undefined
    }
    const fits =
      dimensions === undefined
        ? usable(reading)
        : Array.isArray(reading) && reading.length === dimensions && reading.every((part) => usable(part))
    if (fits) return reading as number | readonly number[]
    this.#tally.drops.note('unscored')
    return undefined
  }

  /** The key of an event, new where there is room, as the one last heard of. */
  #heard(event: StoredEvent, key: string): Watch | undefined {
    let watch = this.#keys.get(key)
    if (watch !== undefined) this.#keys.delete(key)
    else if (!this.#hasRoom(key)) return undefined
    else watch = this.#enter(key, this.#order++, event.time)
    this.#keys.set(key, watch)
    watch.heard = event.time
    if (watch.detector.due !== undefined) watch.last = event
    return watch
  }

  /** @throws BOUND_EXCEEDED */
  #hasRoom(key: string): boolean {
    const { keys: most, policy } = this.#plan.limits
    if (this.#keys.size < most) return true
    if (!this.#tally.drops.makeRoom(policy, 'keys', most, key)) return false
    const [oldest] = this.#keys.values()
    if (oldest !== undefined) this.#forget(oldest)
    return true
  }

  #enter(key: string, order: number, since: number, saved?: unknown): Watch {
    const detector = this.#shared ?? (this.#plan.detector.start(saved) as AnyDetector)
    const place = NOT_QUEUED
    const watch = {
      key,
      detector,
      standing: newStanding(),
      since,
      last: null,
      heard: since,
      due: Infinity,
      order,
      place,
    }
    this.#keys.set(key, watch)
    if (this.#oldest !== undefined) this.#oldest = Math.min(this.#oldest, since)
    return watch
  }

  #forget(watch: Watch): void {
    this.#keys.delete(watch.key)
    if (watch.place !== NOT_QUEUED) this.#due.remove(watch)
    if (this.#shared !== null) this.#plan.detector.forget?.(this.#shared as Detector<never>, watch.key)
    if (watch.since === this.#oldest) this.#oldest = undefined
  }

  /** Makes sure that the key is queued at its deadline or before: one that has become later is moved when it comes first. */
  #queue(watch: Watch): void {
    const due = watch.detector.due ?? Infinity
    if (watch.place !== NOT_QUEUED) {
      if (due >= watch.due) return
      this.#due.remove(watch)
    }
    if (due === Infinity) return
    watch.due = due
    this.#due.add(watch)
  }

  /** The key whose deadline comes next, queued at its time. */
  #next(): Watch | undefined {
    for (;;) {
      const { first } = this.#due
      if (first === undefined || first.due === first.detector.due) return first
      this.#due.remove(first)
      this.#queue(first)
    }
  }

  #put(event: StoredEvent, key: string, time: number, value: Detection['value'], score: Score): void {
    const values: Detection = { value, ...score, detector: this.#plan.detector.name }
    const events = [event]
    this.#out.match({
      kind: 'match',
      key,
      stages: { event: events },
      events,
      first: event,
      last: event,
      time,
      values: { ...values },
    })
  }
}
