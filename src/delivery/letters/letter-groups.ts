import type { DeadLetter } from './dead-letter.js'

export const GROUPINGS = ['fingerprint', 'code', 'processor', 'type'] as const
export type Grouping = (typeof GROUPINGS)[number]

/** Letters that have something in common. */
export interface LetterGroup {
  readonly value: string
  readonly count: number
  /** When the first and the last of them became letters, in ms. */
  readonly first: number
  readonly last: number
  /** The newest. */
  readonly sample: Pick<DeadLetter, 'number' | 'code' | 'detail' | 'processor'>
}

/** Counts letters by what they have in common; what it keeps grows with the groups, not with the letters. */
export class LetterGroups {
  readonly #by: Grouping
  readonly #groups = new Map<string, LetterGroup>()

  constructor(by: Grouping) {
    this.#by = by
  }

  add(letter: DeadLetter): void {
    const value = letter[this.#by] ?? ''
    const { number, code, detail, processor, at } = letter
    const former = this.#groups.get(value)
    const sample =
      former === undefined || former.sample.number < number ? { number, code, detail, processor } : former.sample
    this.#groups.set(value, {
      value,
      count: (former?.count ?? 0) + 1,
      first: Math.min(former?.first ?? at, at),
      last: Math.max(former?.last ?? at, at),
      sample,
    })
  }

  /** The largest first. */
  get all(): readonly LetterGroup[] {
    return [...this.#groups.values()].sort((one, other) => other.count - one.count || other.last - one.last)
  }
}
