// A clock that stands still until a test moves it.
import type { Clock } from '../../src/time/clock.ts'

interface Timer {
  at: number
  readonly fn: () => void
  readonly every: number | undefined
}

export class VirtualClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  constructor(now = 0) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  /** Timers that are waiting. */
  get armed(): number {
    return this.#timers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      const onAbort = (): void => {
        cancel()
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  after(ms: number, fn: () => void): () => void {
    return this.#arm({ at: this.#now + ms, fn, every: undefined })
  }

  every(ms: number, fn: () => void): () => void {
    return this.#arm({ at: this.#now + ms, fn, every: ms })
  }

  /** Moves time, firing what is due on the way, in order; what follows from it by promises happens in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at)
      if (next.every === undefined) this.#timers.delete(next)
      else next.at += next.every
      next.fn()
      await settled()
    }
    this.#now = end
  }

  /** Time goes by without this process: what was due meanwhile is late. */
  stand(ms: number): void {
    this.#now += ms
  }

  #arm(timer: Timer): () => void {
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (timer.at <= end && timer.at < (next?.at ?? Infinity)) next = timer
    return next
  }
}

/** Whatever promises lead to without time passing has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
