import { matchingStages, type Matcher, type Pattern, type Stage, type TakeStage } from '../pattern/pattern.js'
import type { Condition, Step } from './graph.js'

/** Conditions and stages of a pattern, numbered in the order in which they are written. */
export class PatternParts {
  readonly conditions: Condition[] = []
  readonly steps: Step[] = []
  readonly #bits = new Map<Matcher, number>()
  readonly #steps = new Map<TakeStage, number>()

  constructor(pattern: Pattern) {
    for (const stage of matchingStages(pattern.stages)) {
      if (stage.kind !== 'take') continue
      this.#steps.set(stage, this.steps.length)
      this.steps.push({ stage, index: this.steps.length })
    }
    this.#add(pattern.stages)
  }

  bit(matcher: Matcher): number {
    return this.#bits.get(matcher) ?? 0
  }

  step(stage: TakeStage): number {
    return this.#steps.get(stage) ?? -1
  }

  #add(stages: readonly Stage[]): void {
    for (const stage of stages) {
      if (stage.kind !== 'not' && stage.until !== undefined) this.#condition(stage.until)
      if (stage.kind === 'group') this.#add(stage.stages)
      else this.#condition(stage)
    }
  }

  #condition(matcher: Matcher): void {
    const index = this.conditions.length
    const { where = null, local = false } = matcher
    this.conditions.push({ bit: 1 << index, index, matcher, where, local: where === null || local })
    this.#bits.set(matcher, 1 << index)
  }
}
