import { isFault, messageOf } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Bound } from '../pattern/pattern.js'
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
  /** Conditions that say nothing but types. */
  readonly #bare: number
  #possible = 0
  #known = 0
  #holds = 0

  /** @param conditions of the pattern, all of them */
  constructor(conditions: readonly Condition[]) {
    this.#bare = conditions.reduce((bits, { bit, where }) => (where === null ? bits | bit : bits), 0)
  }

  /** Another event. `possible`: conditions whose types it has. */
  begin(possible: number): void {
    this.#possible = possible
    this.#known = this.#bare
    this.#holds = this.#bare & possible
  }

  /**
   * Those of `conditions` that hold; `watch` are their bits. `bound`: what the partial match that asks has taken. The event
   * is handed through: to keep a new object in one that is old costs more than the question.
   */
  of(watch: number, conditions: readonly Condition[], bound: Bound, event: StoredEvent, key: string): number {
    const asked = watch & this.#possible
    if ((asked & ~this.#known) === 0) return asked & this.#holds
    let truth = 0
    for (let i = 0; i < conditions.length; i++) {
      const condition = conditions[i] as Condition
      const { bit } = condition
      if ((asked & bit) === 0) continue
      if ((this.#known & bit) !== 0) truth |= this.#holds & bit
      else if (this.#test(condition, bound, event, key)) truth |= bit
    }
    return truth
  }

  #test(condition: Condition, bound: Bound, event: StoredEvent, key: string): boolean {
    const holds = this.#evaluate(condition, bound, event, key)
    if (condition.local) {
      this.#known |= condition.bit
      if (holds) this.#holds |= condition.bit
    }
    return holds
  }

  #evaluate({ where, matcher }: Condition, bound: Bound, event: StoredEvent, key: string): boolean {
    if (where === null) return true
    try {
      return where(event, bound, key)
    } catch (error) {
      // By contract of Where: not satisfied, counted, never fatal.
      this.errors++
      if (this.samples.length < ERROR_SAMPLES) {
        const stage = 'name' in matcher ? String(matcher.name) : 'not'
        this.samples.push(`${event.id}, ${stage}: ${isFault(error) ? error.detail : messageOf(error)}`)
      }
      return false
    }
  }
}
