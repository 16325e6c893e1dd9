import type { StoredEvent } from '../../event/event.js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import type { Bound } from '../pattern/pattern.js'
import type { Test } from './position.js'

/** Messages kept of conditions that threw; the rest is only counted. */
const ERROR_SAMPLES = 10
const NOTHING_BOUND: Bound = []

/** What is true of one event: each condition is evaluated once, when it is first asked for. */
export class Truth {
  readonly samples: string[] = []
  errors = 0
  #event!: StoredEvent
  #key = ''
  #bits = 0
  #known = 0
  #truth = 0

  /** @param bits conditions whose types the event has */
  begin(event: StoredEvent, key: string, bits: number): void {
    this.#event = event
    this.#key = key
    this.#bits = bits
    this.#known = 0
    this.#truth = 0
  }

  of({ bit, matcher, stage }: Test): boolean {
    if ((this.#bits & bit) === 0) return false
    const { where } = matcher
    if (where === undefined) return true
    if ((this.#known & bit) === 0) {
      this.#known |= bit
      try {
        if (where(this.#event, NOTHING_BOUND, this.#key)) this.#truth |= bit
      } catch (error) {
        // By contract of Where: not satisfied, counted, never fatal.
        this.errors++
        if (this.samples.length < ERROR_SAMPLES)
          this.samples.push(`${this.#event.id}, ${stage}: ${isFault(error) ? error.detail : messageOf(error)}`)
      }
    }
    return (this.#truth & bit) !== 0
  }
}
