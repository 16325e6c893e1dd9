import type { StoredEvent } from '../../event/event.js'
import type { Trace } from '../engine/partial.js'
import { decide, type Decision, type Standing } from './decision.js'
import type { Score } from './detector.js'
import { judge, type Judgement } from './judgement.js'

/** Decides, and tells who asks what was decided and why. */
export class Judge {
  readonly #decision: Decision
  readonly #tell: Trace['judged']

  constructor(decision: Decision, trace: Trace | undefined) {
    this.#decision = decision
    this.#tell = trace?.judged?.bind(trace)
  }

  /** Counts a value. @returns whether it is an alarm */
  isAlarm(
    key: string,
    standing: Standing,
    event: StoredEvent,
    value: Judgement['value'],
    score: Score | null,
  ): boolean {
    const { time } = event
    if (this.#tell === undefined) return decide(this.#decision, standing, score, time)
    const no = judge(this.#decision, standing, score, time)
    this.#tell({ key, event, time, value, score, threshold: this.#decision.threshold, no })
    return no === undefined
  }

  /** A silence is an alarm whatever went before. */
  silence(key: string, last: StoredEvent, time: number, score: Score): void {
    const { threshold } = this.#decision
    this.#tell?.({ key, event: last, time, value: null, score, threshold, no: undefined })
  }
}
