import type { OperatorFunction } from 'rxjs'
import { durable, type DurableOperator, type OperatorHost, type OperatorOutput } from './durable.js'
import type { DurableTimer, SavedTimer } from './durable-timer.js'

/** A pair that a join has found. */
export interface Joined<L, R> {
  readonly left: L
  readonly right: R
}

/** A pair, or a left value that has found no right one. */
export interface LeftJoined<L, R> {
  readonly left: L
  readonly right?: R
}

/** What is joined with what. Durations in ms. */
export interface JoinShape<T, L extends T, R extends T> {
  readonly left: (value: T) => value is L
  readonly right: (value: T) => value is R
  readonly by: (value: L | R) => string
  /** A right value may come earlier than the left one by less than this. */
  readonly before: number
  /** A right value may come later than the left one by less than this. */
  readonly after: number
  readonly kind: 'inner' | 'left'
}

/** What is kept of a value: what it is joined by, when it came, and whether it has found one (0 or 1). */
type Kept<V> = [by: string, value: V, at: number, found: number]

/**
 * Every left value with every right value that comes in time. In a left join a left value that has found none by then is
 * put out alone.
 */
export function join<T, L extends T, R extends T>(
  host: OperatorHost,
  shape: JoinShape<T, L, R>,
): OperatorFunction<T, LeftJoined<L, R>> {
  const { before, after, kind } = shape
  return durable(host, `join(${[before, after, kind].join()})`, (output, saved) => new Join(shape, output, saved))
}

class Join<T, L extends T, R extends T> implements DurableOperator<T> {
  readonly #shape: JoinShape<T, L, R>
  readonly #output: OperatorOutput<LeftJoined<L, R>>
  readonly #lefts: Side<L>
  readonly #rights: Side<R>
  readonly #timer: DurableTimer

  constructor(
    shape: JoinShape<T, L, R>,
    output: OperatorOutput<LeftJoined<L, R>>,
    saved: readonly unknown[] | undefined,
  ) {
    this.#shape = shape
    this.#output = output
    this.#lefts = new Side((saved?.[0] ?? []) as Kept<L>[])
    this.#rights = new Side((saved?.[1] ?? []) as Kept<R>[])
    this.#timer = output.timer(() => {
      this.#expire()
      this.#arm()
    })
    if (saved?.[2] !== undefined) this.#timer.startAs(saved[2] as SavedTimer)
  }

  next(value: T): void {
    this.#expire()
    const { left, right } = this.#shape
    if (left(value)) this.#left(value)
    else if (right(value)) this.#right(value)
    this.#arm()
  }

  complete(): void {
    this.#giveUp(this.#lefts.expire(Infinity))
    this.#output.complete()
  }

  save(): readonly unknown[] | null {
    const { before, after, kind } = this.#shape
    const now = this.#output.now()
    this.#rights.expire(now - before)
    if (kind === 'inner') this.#lefts.expire(now - after)
    const state = [this.#lefts.all(), this.#rights.all()]
    if (this.#timer.pending) return [...state, this.#timer.save()]
    return state.every(({ length }) => length === 0) ? null : state
  }

  #left(left: L): void {
    const kept = this.#lefts.add([this.#shape.by(left), left, this.#output.now(), 0])
    for (const [, right] of this.#rights.of(kept[0])) {
      kept[3] = 1
      this.#output.next({ left, right })
    }
  }

  #right(right: R): void {
    const [by] = this.#rights.add([this.#shape.by(right), right, this.#output.now(), 0])
    for (const other of this.#lefts.of(by)) {
      other[3] = 1
      this.#output.next({ left: other[1], right })
    }
  }

  #expire(): void {
    const now = this.#output.now()
    this.#rights.expire(now - this.#shape.before)
    this.#giveUp(this.#lefts.expire(now - this.#shape.after))
  }

  /** Left values whose time is over. */
  #giveUp(gone: readonly Kept<L>[]): void {
    if (this.#shape.kind === 'inner') return
    for (const [, left, , found] of gone) if (found === 0) this.#output.next({ left })
  }

  /** An inner join needs no timer: what is over is looked at when it is used. */
  #arm(): void {
    const { oldest } = this.#lefts
    if (this.#shape.kind === 'inner' || oldest === undefined || this.#timer.pending) return
    this.#timer.start(oldest + this.#shape.after - this.#output.now())
  }
}

/** The values of one side, in the order in which they came. */
class Side<V> {
  #order: Kept<V>[]
  #head = 0
  readonly #by = new Map<string, Kept<V>[]>()

  constructor(kept: readonly Kept<V>[]) {
    this.#order = []
    for (const each of kept) this.add(each)
  }

  /** When the oldest value came. */
  get oldest(): number | undefined {
    return this.#order[this.#head]?.[2]
  }

  add(kept: Kept<V>): Kept<V> {
    this.#order.push(kept)
    const same = this.#by.get(kept[0])
    if (same === undefined) this.#by.set(kept[0], [kept])
    else same.push(kept)
    return kept
  }

  of(by: string): readonly Kept<V>[] {
    return this.#by.get(by) ?? []
  }

  /** Takes out what came at `time` or before, oldest first. */
  expire(time: number): Kept<V>[] {
    const gone: Kept<V>[] = []
    for (
      let first = this.#order[this.#head];
      first !== undefined && first[2] <= time;
      first = this.#order[this.#head]
    ) {
      gone.push(first)
      this.#head += 1
      const same = this.#by.get(first[0])
      if (same === undefined || same.length === 1) this.#by.delete(first[0])
      else same.shift()
    }
    if (this.#head > 64 && this.#head * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#head)
      this.#head = 0
    }
    return gone
  }

  all(): readonly Kept<V>[] {
    return this.#order.slice(this.#head)
  }
}
