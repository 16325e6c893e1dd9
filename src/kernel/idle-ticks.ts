import type { Clock } from '../time/clock.js'

/** What is asked of a processor before time moves on without an event. */
export interface TickTarget {
  /** Whether nothing waits: every message is handled, no step is open. */
  readonly idle: () => boolean
  /** Time from which a tick does something; Infinity: none is due. */
  readonly due: () => number
  /**
   * What the clock says by which messages are dated, in ms: that of the server. The process’ own may be hours away from
   * it, and must not close what the next message still belongs to.
   */
  readonly now: () => number
  /** Takes a tick at this time. */
  readonly tick: (time: number) => void
}

/** Messages stored before now may still be on their way for so long, in ms. */
const MARGIN = 25
/** Ticks taken in a row before others get their turn. */
const AT_ONCE = 1_000
const LONGEST = 2 ** 31 - 1

/**
 * Lets time pass for a processor that no event reaches: a window that is due closes although nothing follows. What the
 * server’s clock says here is no function of the log; whoever takes the tick writes it into the journal.
 */
export class IdleTicks {
  readonly #clock: Clock
  readonly #target: TickTarget
  #armedFor = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined
  #stopped = false

  constructor(clock: Clock, target: TickTarget) {
    this.#clock = clock
    this.#target = target
  }

  /** Call it whenever the processor may have become idle, or has something else due. */
  arm(): void {
    if (this.#stopped) return
    const due = this.#target.idle() ? this.#target.due() : Number.POSITIVE_INFINITY
    if (due === this.#armedFor) return
    this.#cancel?.()
    this.#cancel = undefined
    this.#armedFor = due
    if (due === Number.POSITIVE_INFINITY) return
    const wait = Math.min(LONGEST, Math.max(0, due + MARGIN - this.#target.now()))
    this.#cancel = this.#clock.after(wait, () => this.#run())
  }

  /** Call it when `now` has become another one. */
  moved(): void {
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#cancel?.()
    this.arm()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #run(): void {
    this.#armedFor = Number.POSITIVE_INFINITY
    const limit = this.#target.now() - MARGIN
    for (let ticks = 0; ticks < AT_ONCE && !this.#stopped && this.#target.idle(); ticks++) {
      const due = this.#target.due()
      if (due > limit) break
      this.#target.tick(due)
    }
    this.arm()
  }
}
