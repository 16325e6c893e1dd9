import { isFault, messageOf } from '../../error/millrace-error.js'

/** Messages that are kept; the rest is only counted. */
const SAMPLES = 10

/** Counts what could not be evaluated for an event, and keeps the first messages. */
export class EvaluationErrors {
  count: number
  readonly samples: string[]

  constructor(count = 0, samples: readonly string[] = []) {
    this.count = count
    this.samples = [...samples]
  }

  /** @param where event id and place, or a key */
  note(where: string, error: unknown): void {
    this.count++
    if (this.samples.length >= SAMPLES) return
    this.samples.push(`${where}: ${isFault(error) ? error.message : messageOf(error)}`)
  }
}
