import type { OperatorOutput } from './durable.js'
import type { DurableTimer, SavedTimer } from './durable-timer.js'

/** What waits in a queue: something plain, and when its time has come. */
export type Queued<T> = readonly [item: T, due: number, order: number]

/**
 * Things of which each waits equally long, so that the first one in is the first one out. One timer for all of them; each
 * has the place among timers that one of its own would have.
 */
export class TimerQueue<T, R> {
  readonly #output: OperatorOutput<R>
  readonly #timer: DurableTimer
  readonly #items: Queued<T>[]
  #head = 0

  /**
   * @param due told of each item whose time has come, when it has left the queue
   * @param periodic see `OperatorOutput.timer`
   */
  constructor(
    output: OperatorOutput<R>,
    saved: readonly Queued<T>[] | undefined,
    due: (item: T) => void,
    periodic = false,
  ) {
    this.#output = output
    this.#items = saved === undefined ? [] : [...saved]
    this.#timer = output.timer(
      () => {
        const first = this.#items[this.#head]
        this.shift()
        if (first !== undefined) due(first[0])
      },
      { periodic },
    )
    for (const [, due, order] of this.#items) output.reserved([due, order])
    this.#arm()
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T, delay: number): void {
    const [due, order] = this.#output.reserve(delay)
    this.#items.push([item, due, order])
    if (this.size === 1) this.#arm()
  }

  /** Takes the first one out, before its time. */
  shift(): T | undefined {
    const first = this.#items[this.#head]
    if (first === undefined) return undefined
    this.#head += 1
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    this.#arm()
    return first[0]
  }

  items(): T[] {
    return this.save().map(([item]) => item)
  }

  save(): readonly Queued<T>[] {
    return this.#items.slice(this.#head)
  }

  #arm(): void {
    const first = this.#items[this.#head]
    if (first === undefined) this.#timer.cancel()
    else this.#timer.startAs([first[1], first[2]] satisfies SavedTimer)
  }
}
