// The scheduler as its description says, without any thought for speed: a list that is searched each time.

interface Timer {
  due: number
  order: number
  work: () => void
}

export interface Handle {
  again(delay: number): void
  cancel(): void
}

/** What a program of timers needs: the scheduler under test and the naive one both give it. */
export interface Timers {
  now(): number
  schedule(work: (handle: Handle) => void, delay: number): Handle
  advanceTo(time: number): number
  drain(): number
  readonly nextDue: number
  readonly pending: number
}

export class NaiveScheduler implements Timers {
  #time: number
  #order = 0
  #timers: Timer[] = []

  constructor(start: number) {
    this.#time = start
  }

  now(): number {
    return this.#time
  }

  get nextDue(): number {
    return Math.min(Infinity, ...this.#timers.map(({ due }) => due))
  }

  get pending(): number {
    return this.#timers.length
  }

  schedule(work: (handle: Handle) => void, delay: number): Handle {
    let cancelled = false
    const timer: Timer = { due: 0, order: 0, work: () => work(handle) }
    const handle: Handle = {
      again: (delay) => {
        if (cancelled) return
        this.#remove(timer)
        if (delay === Infinity) return
        timer.due = this.#time + (delay > 0 ? delay : 0)
        timer.order = this.#order++
        this.#timers.push(timer)
      },
      cancel: () => {
        cancelled = true
        this.#remove(timer)
      },
    }
    handle.again(delay)
    return handle
  }

  advanceTo(time: number): number {
    const target = Math.max(time, this.#time)
    let fired = 0
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.due - b.due || a.order - b.order)[0]
      if (next === undefined || next.due > target) break
      this.#remove(next)
      this.#time = Math.max(this.#time, next.due)
      fired++
      next.work()
    }
    this.#time = target
    return fired
  }

  drain(): number {
    return this.advanceTo(this.#time)
  }

  #remove(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer)
  }
}
