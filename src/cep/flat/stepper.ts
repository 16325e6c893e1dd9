import type { StoredEvent } from '../../event/event.js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import type { CompiledPattern } from './compiled-pattern.js'
import type { Bound, Matcher, Where } from '../pattern/pattern.js'
import { take, unbound, type Done, type Run, type Taking } from './run.js'
import type { Branch, Condition, State, Step } from './state.js'

/** Messages kept of conditions that threw; the rest is only counted. */
const ERROR_SAMPLES = 10

/**
 * Takes partial matches over one event. `begin` says which event; then `step` each of the key's partial matches and
 * `start` a new one. A condition that reads the event only is evaluated once, however many partial matches ask.
 */
export class Stepper {
  /** Matches that the event completed, oldest start first. */
  readonly done: Done[] = []
  readonly samples: string[] = []
  errors = 0
  readonly #pattern: CompiledPattern
  readonly #none: Bound
  #event!: StoredEvent
  #key = ''
  #bits = 0
  #at = 0
  #known = 0
  #truth = 0

  constructor(pattern: CompiledPattern) {
    this.#pattern = pattern
    this.#none = unbound(pattern)
  }

  /** `bits`: conditions whose types the event has. `at`: its place in the order of events. */
  begin(event: StoredEvent, key: string, bits: number, at: number): void {
    this.#event = event
    this.#key = key
    this.#bits = bits
    this.#at = at
    this.#known = 0
    this.#truth = 0
  }

  /** Moves one partial match over the event; what lives on is appended to `out`. The run may be reused. */
  step(run: Run, out: Run[]): void {
    const { state } = run
    if ((this.#bits & state.watch) === 0) {
      if (state.endsNext) this.done.push({ last: run.last, start: run.start, startTime: run.startTime })
      this.#stay(run, state, state.patient, out)
      return
    }
    const { last } = run
    if (this.#nextBanned(state, last.bound)) return
    const banned = this.#anyOf(state.bans, last.bound)
    // As in Flink: an event that a relaxed not forbids may still complete the match, but takes it nowhere else.
    const keep = this.#branches(state, last, run.start, run.startTime, banned, out)
    if (banned) return
    if (state.endsNext) this.done.push({ last, start: run.start, startTime: run.startTime })
    this.#stay(run, state, keep, out)
  }

  /** Begins a match at the event, if it can. The first stage ignores nothing. */
  start(out: Run[]): void {
    const { begin } = this.#pattern
    if ((this.#bits & begin.watch) === 0) return
    this.#branches(begin, null, this.#at, this.#event.time, false, out)
  }

  #stay(run: Run, state: State, keep: number, out: Run[]): void {
    const next = state.left.get(keep) ?? this.#pattern.states.left(state, keep)
    if (next === null) return
    run.state = next
    out.push(run)
  }

  #anyOf(conditions: readonly Condition[], bound: Bound): boolean {
    for (const condition of conditions) if (this.#test(condition, bound)) return true
    return false
  }

  #nextBanned(state: State, bound: Bound): boolean {
    if (state.nextBans.length === 0) return false
    if (state.nextBanGate !== null && this.#gated(state.nextBanGate, bound)) return false
    return this.#anyOf(state.nextBans, bound)
  }

  /** Whether the greedy repetition of a stage takes the event. */
  #gated(step: Step, bound: Bound): boolean {
    return this.#test(step.condition, bound) && (step.until === null || !this.#test(step.until, bound))
  }

  /** Lets each branch take the event; returns the mask of those that ignored it. */
  #branches(state: State, last: Taking | null, start: number, startTime: number, banned: boolean, out: Run[]): number {
    const bound = last === null ? this.#none : last.bound
    let keep = 0
    for (let at = 0; at < state.branches.length; at++) {
      const branch = state.branches[at] as Branch
      if (branch.gate !== null && this.#gated(branch.gate, bound)) continue
      const over = branch.until !== null && this.#test(branch.until, bound)
      if (over && branch.place.count > 0) continue
      const holds = this.#test(branch.condition, bound)
      if (holds && !over) this.#take(branch, last, start, startTime, banned, out)
      if (branch.ignore === 'always' || (branch.ignore === 'unless' && !holds)) keep |= 1 << at
    }
    return keep
  }

  #take(branch: Branch, last: Taking | null, start: number, startTime: number, banned: boolean, out: Run[]): void {
    const { completes, unless, state } = branch.taken ?? this.#pattern.states.taken(branch)
    const ends = completes && (unless.length === 0 || !this.#anyOf(unless, last === null ? this.#none : last.bound))
    if (!ends && (banned || state === null)) return
    const taking = take(this.#pattern, this.#none, last, this.#event, branch.step.index, this.#at)
    if (ends) this.done.push({ last: taking, start, startTime })
    if (state !== null && !banned) out.push({ state, last: taking, start, startTime })
  }

  #test(condition: Condition, bound: Bound): boolean {
    const { bit, matcher } = condition
    if ((this.#bits & bit) === 0) return false
    if (matcher.where === undefined) return true
    if (matcher.local !== true) return this.#evaluate(matcher, matcher.where, bound)
    if ((this.#known & bit) === 0) {
      this.#known |= bit
      if (this.#evaluate(matcher, matcher.where, bound)) this.#truth |= bit
    }
    return (this.#truth & bit) !== 0
  }

  #evaluate(matcher: Matcher, where: Where, bound: Bound): boolean {
    try {
      return where(this.#event, bound, this.#key)
    } catch (error) {
      // By contract of Where: not satisfied, counted, never fatal.
      this.errors++
      if (this.samples.length < ERROR_SAMPLES) {
        const stage = 'name' in matcher ? String(matcher.name) : 'not'
        this.samples.push(`${this.#event.id}, ${stage}: ${isFault(error) ? error.detail : messageOf(error)}`)
      }
      return false
    }
  }
}
