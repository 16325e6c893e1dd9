import { isFault, messageOf } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Bound, Matcher } from '../pattern/pattern.js'
import type { Condition } from './graph.js'

/** Messages kept of conditions that threw; the rest is only counted. */
const ERROR_SAMPLES = 10

/**
 * Which conditions hold for the event at hand, as bits. A condition that reads the event only is evaluated once,
 * however many partial matches ask; none is evaluated that nobody asks for.
 */
export class Truth {
  readonly samples: string[] = []
  errors = 0
  #event!: StoredEvent
  #key = ''
  #possible = 0
  #known = 0
  #holds = 0

  /** `possible`: conditions whose types the event has. */
  begin(event: StoredEvent, key: string, possible: number): void {
    this.#event = event
    this.#key = key
    this.#possible = possible
    this.#known = 0
    this.#holds = 0
  }

  /** Those of `conditions` that hold; `watch` are their bits. `bound`: what the partial match that asks has taken. */
  of(watch: number, conditions: readonly Condition[], bound: Bound): number {
    const asked = watch & this.#possible
    if ((asked & ~this.#known) === 0) return asked & this.#holds
    let truth = 0
    for (let i = 0; i < conditions.length; i++) {
      const { bit, matcher } = conditions[i] as Condition
      if ((asked & bit) === 0) continue
      if ((this.#known & bit) !== 0) truth |= this.#holds & bit
      else if (this.#test(bit, matcher, bound)) truth |= bit
    }
    return truth
  }

  #test(bit: number, matcher: Matcher, bound: Bound): boolean {
    if (matcher.where === undefined || matcher.local === true) {
      this.#known |= bit
      if (this.#evaluate(matcher, bound)) {
        this.#holds |= bit
        return true
      }
      return false
    }
    return this.#evaluate(matcher, bound)
  }

  #evaluate(matcher: Matcher, bound: Bound): boolean {
    if (matcher.where === undefined) return true
    try {
      return matcher.where(this.#event, bound, this.#key)
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
