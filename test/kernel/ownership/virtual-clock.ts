// Time that passes when a test says so, in steps from one timer to the next.
import type { Clock } from '../../../src/time/clock.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly fn: () => void
}

export class VirtualClock implements Clock {
  #now = 0
  #count = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + Math.ceil(Math.max(0, ms)), order: (this.#count += 1), fn }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  every(ms: number, fn: () => void): () => void {
    let cancel = (): unknown => undefined
    const again = (): void => {
      cancel = this.after(ms, () => {
        again()
        fn()
      })
    }
    again()
    return () => void cancel()
  }

  /** Lets `ms` pass; between two timers everything that waits on promises is done. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + Math.ceil(ms)
    await settle()
    for (;;) {
      let next: Timer | undefined
      for (const timer of this.#timers)
        if (
          timer.at <= end &&
          (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        )
          next = timer
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.fn()
      await settle()
    }
    this.#now = end
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
