import type { OperatorFunction } from 'rxjs'
import { durable, type OperatorHost } from './durable.js'
import type { SavedTimer } from './durable-timer.js'

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
  { left: isLeft, right: isRight, by, before, after, kind }: JoinShape<T, L, R>,
): OperatorFunction<T, LeftJoined<L, R>> {
  return durable<T, LeftJoined<L, R>>(host, `join(${[before, after, kind].join()})`, (output, saved) => {
    const lefts = new Side((saved?.[0] ?? []) as Kept<L>[])
    const rights = new Side((saved?.[1] ?? []) as Kept<R>[])
    const expire = (): void => {
      const now = output.now()
      rights.expire(now - before)
      for (const [, left, , found] of lefts.expire(now - after))
        if (kind === 'left' && found === 0) output.next({ left })
    }
    const arm = (): void => {
      if (kind === 'left' && lefts.oldest !== undefined && !timer.pending)
        timer.start(lefts.oldest + after - output.now())
    }
    const timer = output.timer(() => {
      expire()
      arm()
    })
    if (saved?.[2] !== undefined) timer.startAs(saved[2] as SavedTimer)
    return {
      next(value) {
        expire()
        const now = output.now()
        if (isLeft(value)) {
          const kept = lefts.add([by(value), value, now, 0])
          for (const other of rights.of(kept[0])) {
            kept[3] = 1
            output.next({ left: value, right: other[1] })
          }
        } else if (isRight(value)) {
          const kept = rights.add([by(value), value, now, 0])
          for (const other of lefts.of(kept[0])) {
            other[3] = 1
            output.next({ left: other[1], right: value })
          }
        }
        arm()
      },
      complete() {
        for (const [, left, , found] of lefts.expire(Infinity))
          if (kind === 'left' && found === 0) output.next({ left })
        output.complete()
      },
      save() {
        const now = output.now()
        rights.expire(now - before)
        if (kind === 'inner') lefts.expire(now - after)
        const state = [lefts.all(), rights.all()]
        if (timer.pending) return [...state, timer.save()]
        return state.every(({ length }) => length === 0) ? null : state
      },
    }
  })
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
