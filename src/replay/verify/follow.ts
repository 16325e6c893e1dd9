import type { MillraceError } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import type { SimulatedUnit } from '../../kernel/simulation/simulated-unit.js'
import { sameOutput, type Difference } from './difference.js'
import { asFault, failuresOf, give, type History } from './history.js'

/** Compares what a unit stores with what an uninterrupted run has put out. */
export class Comparison {
  readonly #history: History
  /** Outputs that were stored and compared. */
  #outputs: number

  /** @param items how many items were given and committed before */
  constructor(history: History, items: number) {
    this.#history = history
    this.#outputs = history.outputsAfter(items)
  }

  /** Compares what was stored once so many items were given: the first difference. */
  stored(outputs: readonly WireMessage[], items: number): Difference | undefined {
    const history = this.#history
    const end = history.outputsAfter(items)
    for (const found of outputs) {
      const expected = this.#outputs < end ? history.outputs[this.#outputs] : undefined
      if (expected === undefined || !sameOutput(expected, found)) return this.#difference(items, expected, found)
      this.#outputs += 1
    }
    if (this.#outputs === end) return undefined
    return this.#difference(items, history.outputs[this.#outputs], undefined)
  }

  #difference(items: number, expected: WireMessage | undefined, found: WireMessage | undefined): Difference {
    const item = Math.min(this.#history.itemOf(this.#outputs), items - 1)
    return { item, sequence: this.#history.sequence(item), what: { kind: 'output', expected, found } }
  }
}

/**
 * Gives a unit the next items of a history and compares what comes of it. Ends with the first difference.
 * @param from how many items it was given and has committed
 * @param every items between two commits
 */
export function follow(
  unit: SimulatedUnit,
  history: History,
  from: number,
  to: number,
  every = 1,
): Difference | undefined {
  const comparison = new Comparison(history, from)
  for (let at = from; at < to; at++) {
    const wrong = giveAndCompare(unit, history, at)
    if (wrong !== undefined) return wrong
    if ((at - from) % every !== every - 1 && at < to - 1) continue
    const different = commitAndCompare(unit, history, comparison, at + 1)
    if (different !== undefined) return different
  }
  return undefined
}

/** Commits everything that waits, and compares it. @param items how many items the unit was given */
export function commitAndCompare(
  unit: SimulatedUnit,
  history: History,
  comparison: Comparison,
  items: number,
  snapshot = false,
): Difference | undefined {
  try {
    return comparison.stored(unit.commitAll(snapshot), items)
  } catch (error) {
    return stoppedAt(history, items - 1, asFault(error))
  }
}

/** Gives a unit one item of a history; its outputs are compared when they are stored. */
export function giveAndCompare(unit: SimulatedUnit, history: History, item: number): Difference | undefined {
  const taken = give(unit, history.item(item))
  const sequence = history.sequence(item)
  if (taken.kind === 'stopped') return stoppedAt(history, item, taken.error)
  if (taken.kind === 'waits') return { item, sequence, what: { kind: 'waits', steps: taken.steps } }
  const [expected, found] = [history.failures(item), failuresOf(taken.turn)]
  return expected === found ? undefined : { item, sequence, what: { kind: 'dead-letters', expected, found } }
}

export function stoppedAt(history: History, item: number, error: MillraceError): Difference {
  return { item, sequence: history.sequence(item), what: { kind: 'stopped', error } }
}
