import { Drops } from './drops.js'
import { EvaluationErrors } from './evaluation-errors.js'
import type { ExecutorStats } from './executor.js'

/** As data: errors, their samples, and what was dropped. */
export type SavedTally = readonly [number, readonly string[], Readonly<Record<string, number>>]

/** What an executor counts beside its results. */
export class Tally {
  readonly errors: EvaluationErrors
  readonly drops: Drops

  constructor(saved?: SavedTally) {
    this.errors = new EvaluationErrors(saved?.[0], saved?.[1])
    this.drops = new Drops(saved?.[2] ?? {})
  }

  /** Evaluates a condition. One that throws does not hold; it is counted, never fatal. @param where for the sample */
  holds(condition: () => boolean, where: () => string): boolean {
    try {
      return condition()
    } catch (error) {
      this.errors.note(where(), error)
      return false
    }
  }

  get stats(): Pick<ExecutorStats, 'evaluationErrors' | 'errorSamples' | 'dropped'> {
    const { errors, drops } = this
    return {
      evaluationErrors: errors.count,
      errorSamples: [...errors.samples],
      dropped: { ...drops.counts },
    }
  }

  save(): SavedTally {
    return [this.errors.count, [...this.errors.samples], { ...this.drops.counts }]
  }
}
