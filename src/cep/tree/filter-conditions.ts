import type { StoredEvent } from '../../event/event.js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import type { FilterPlan } from './plan.js'
import type { Running, Taken } from './taken.js'

/** Messages kept of conditions that threw; the rest is only counted. */
const ERROR_SAMPLES = 10

/** Asks the conditions of filters. One that reads the event only is asked once per event, however many wait for it. */
export class FilterConditions {
  readonly samples: string[] = []
  errors = 0
  readonly #running: Running
  readonly #known: (boolean | undefined)[]

  constructor(running: Running, filters: number) {
    this.#running = running
    this.#known = Array.from({ length: filters })
  }

  /** Another event comes. */
  next(): void {
    this.#known.fill(undefined)
  }

  satisfies(filter: FilterPlan, event: StoredEvent, begin: Taken | null, key: string): boolean {
    const { matcher, index } = filter
    if (matcher.where === undefined) return true
    if (matcher.local !== true) return this.#ask(filter, event, begin, key)
    const known = this.#known[index] ?? this.#ask(filter, event, null, key)
    this.#known[index] = known
    return known
  }

  #ask({ matcher, shown }: FilterPlan, event: StoredEvent, begin: Taken | null, key: string): boolean {
    try {
      return matcher.where?.(event, this.#running.of(begin), key) === true
    } catch (error) {
      // By contract of Where: not satisfied, counted, never fatal.
      this.errors++
      if (this.samples.length < ERROR_SAMPLES)
        this.samples.push(`${event.id}, ${shown}: ${isFault(error) ? error.detail : messageOf(error)}`)
      return false
    }
  }
}
