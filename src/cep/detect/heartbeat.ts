import { checkNumber } from './check-options.js'
import { signatureOf, type Deadline, type Detector, type DetectorPlan, type Score } from './detector.js'

export interface HeartbeatOptions {
  /** Milliseconds of event time without an event after which silence is a finding. */
  readonly every: number
}

/**
 * A missing heartbeat: the key was there and has not been heard of for `every` milliseconds. Found once per silence, at the
 * exact event time `last + every`, when time passes it (watermark), not when the next event comes. Any event counts, whatever its value.
 * State: one number.
 * @throws DETECTOR_INVALID
 */
export function heartbeat(options: HeartbeatOptions): DetectorPlan {
  const name = 'heartbeat'
  const every = checkNumber(name, 'every', options.every, { min: 1 })
  return {
    name,
    signature: signatureOf(name, options),
    warmUp: 0,
    scope: 'key',
    dimensions: 0,
    patience: every,
    start: (state) => new Heartbeat(every, (state as number | null | undefined) ?? Infinity),
  }
}

const BEATS: Score = { score: 0, expected: null, lower: null, upper: null, direction: 'none' }
const MISSING: Score = { score: 1, expected: null, lower: null, upper: null, direction: 'below' }

class Heartbeat implements Detector, Deadline {
  readonly #every: number
  due: number

  constructor(every: number, due: number) {
    this.#every = every
    this.due = due
  }

  observe(_value: number, time: number): Score {
    this.due = time + this.#every
    return BEATS
  }

  overdue(): Score {
    this.due = Infinity
    return MISSING
  }

  snapshot(): number | null {
    return this.due === Infinity ? null : this.due
  }
}
