// OperatorScope
//
// The durable operators of one key, in the order in which they were subscribed: by it each finds its state again.
//
// Invariants (tests cite them):
//   D1  Restored from what they saved, operators put out what they would have put out without interruption.
//   D2  State belongs to the operators that saved it, by number and shape; anything else is refused.
import { fault } from '../../error/millrace-error.js'

/** State of an operator: `null` as at its beginning, `0` when it has ended, else a list that only it can read. */
export type SavedOperator = null | 0 | readonly unknown[]

/** An operator that is subscribed, to its scope. */
export interface ScopedOperator {
  /** What it is called, with what decides how its state reads. */
  readonly shape: string
  save(): SavedOperator
}

/** The place of an operator in its scope. */
export interface OperatorPlace {
  /** What it was when it was saved; undefined: it begins. */
  readonly saved: SavedOperator | undefined
  /** The operator has ended, and is not saved any more. */
  leave(): void
}

const ENDED = 0

export class OperatorScope {
  readonly #operators: (ScopedOperator | undefined)[] = []
  readonly #shapes: string[] = []
  #saved: readonly SavedOperator[] | undefined
  #after: (() => void)[] = []
  readonly #passing: string[] = []
  #building = true

  /** @param saved what the operators were; undefined: they begin */
  constructor(saved?: readonly SavedOperator[]) {
    this.#saved = saved
  }

  /**
   * Whether it is being brought back: what is put out by subscribing (`startWith`) was put out before, and does not
   * count.
   */
  get restoring(): boolean {
    return this.#building && this.#saved !== undefined
  }

  /** The operators by what they are called. */
  get shape(): string {
    return this.#shapes.join(' ')
  }

  /** An operator that was subscribed while an event was handled, and has not ended. */
  get passing(): string | undefined {
    return this.#passing[0]
  }

  join(operator: ScopedOperator): OperatorPlace {
    const { shape } = operator
    if (!this.#building) {
      this.#passing.push(shape)
      return { saved: undefined, leave: () => void this.#passing.splice(this.#passing.indexOf(shape), 1) }
    }
    const at = this.#operators.push(operator) - 1
    this.#shapes.push(shape)
    const saved = this.#saved === undefined ? undefined : (this.#saved[at] ?? null)
    return { saved, leave: () => void (this.#operators[at] = undefined) }
  }

  /** Has `action` done when every operator is there. */
  afterwards(action: () => void): void {
    this.#after.push(action)
  }

  /**
   * Every operator is there.
   * @throws KEYED_STATE_UNREADABLE (D2)
   */
  built(): void {
    for (const action of this.#after) action()
    this.#after = []
    this.#building = false
    const saved = this.#saved
    this.#saved = undefined
    if (saved !== undefined && saved.length !== this.#operators.length)
      throw fault('KEYED_STATE_UNREADABLE', `${saved.length} operators were stored, there are ${this.shape}`)
  }

  save(): SavedOperator[] {
    return this.#operators.map((operator) => (operator === undefined ? ENDED : operator.save()))
  }

  /** What an operator of `save()` is called, for a person. */
  shapeAt(at: number): string {
    return this.#shapes[at] ?? '?'
  }
}
