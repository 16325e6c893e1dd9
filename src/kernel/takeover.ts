import { stateSubject } from '../broker/system-subject.js'
import { appendixMessages } from './appendix.js'
import type { Claim } from './claim.js'
import { MOST_TEXT, type Commit } from './next-commit.js'
import type { Turn } from './turn.js'

/**
 * Stores the state with which changed code takes over, in as many commits as it takes: one batch does not hold a large
 * one. Each part before the last leaves the record as the former code has it, and is marked as this version’s. So
 * whoever comes back from that record passes over what is there of it, and whoever takes over next begins behind it: a
 * crash between two parts leaves the state of the former code whole. Only the commit of the turn itself, which has the
 * last part, refers to them.
 */
export class Takeover {
  readonly #claim: Pick<Claim, 'record' | 'stored'>
  readonly #subject: string
  #from: number | undefined

  /** @param output stream of the commits */
  constructor(claim: Pick<Claim, 'record' | 'stored'>, output: string) {
    const { processor, partition } = claim.record
    this.#claim = claim
    this.#subject = stateSubject(output, processor, partition)
  }

  /** Stream sequence from which the parts are read; undefined: the turn has everything. */
  get from(): number | undefined {
    return this.#from
  }

  /**
   * Takes the next part out of the turn that takes over.
   * @param expected stream sequence of the last record
   * @returns undefined when what is left fits the commit of the turn, or this is another turn
   */
  part(turn: Turn, expected: number): Commit | undefined {
    const { checkpoint } = turn
    if (turn.takesOver !== true || checkpoint === undefined) return undefined
    const { changes } = checkpoint
    let [count, size] = [0, 0]
    while (count < changes.length && (count === 0 || size + (changes[count]?.length ?? 0) <= MOST_TEXT))
      size += changes[count++]?.length ?? 0
    if (count === changes.length) return undefined
    this.#from ??= expected + 1
    turn.checkpoint = { ...checkpoint, changes: changes.slice(count) }
    const { record, stored } = this.#claim
    const messages = appendixMessages(this.#subject, changes.slice(0, count), record.version)
    return { turns: [], messages, record: stored, spans: [] }
  }
}
