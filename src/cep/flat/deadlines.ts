import type { KeyRuns } from './keys.js'
import type { Run } from './run.js'
import { StartQueue } from './start-queue.js'

/** A window of one length, and who waits for it to close, in order. */
interface Window {
  /** Length in ms. */
  readonly length: number
  readonly queue: StartQueue<string>
}

/**
 * When windows close. All windows of one length close in the order in which they opened, so that each length is a
 * queue, and what is due costs nothing to find. A queue names keys and places in the order of events; what they named
 * may have ended since.
 */
export class Deadlines {
  /** Starts of partial matches, in order: also without a window, for what is oldest. */
  readonly starts = new StartQueue<KeyRuns>()
  readonly #within: number
  readonly #gaps: readonly Window[]

  constructor(within: number | null, gaps: readonly number[]) {
    this.#within = within ?? Infinity
    this.#gaps = gaps.map((length) => ({ length, queue: new StartQueue<string>() }))
  }

  /** The gap windows of a partial match open with its last event. */
  open(run: Run, key: string): void {
    for (const { length, queue } of this.#gaps)
      if (run.state.gaps.includes(length)) queue.push(key, run.last.event.time, run.last.at)
  }

  /** When the next window closes, in event time; Infinity when none does. */
  get next(): number {
    let next = this.starts.time + this.#within
    for (const { length, queue } of this.#gaps) next = Math.min(next, queue.time + length)
    return next
  }

  /** Whether a window closes by `time`: the question that every event asks. */
  isDue(time: number): boolean {
    return time - this.starts.time >= this.#within || (this.#gaps.length > 0 && this.next <= time)
  }

  /** Forgets the first gap windows of each length until one is met for which somebody waits. */
  trimGaps(waits: (key: string, at: number, gap: number) => boolean): void {
    for (const { length, queue } of this.#gaps)
      while (queue.size > 0 && !waits(queue.owner ?? '', queue.start, length)) queue.shift()
  }

  /** Takes out the gap window that closes next, if that is no later than the window of the oldest start. */
  shiftGap(): { readonly key: string; readonly at: number; readonly gap: number; readonly time: number } | null {
    const next = this.next
    for (const { length, queue } of this.#gaps) {
      if (queue.time + length !== next) continue
      const at = queue.start
      return { key: queue.shift() ?? '', at, gap: length, time: next }
    }
    return null
  }
}
