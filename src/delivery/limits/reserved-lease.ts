import type { Clock } from '../../time/clock.js'
import type { Cell } from './cell.js'
import { readTokenBucket } from './token-bucket.js'

/** A lease of what is not there yet. */
export interface ReservedLease {
  /** Of its bucket. */
  readonly cell: Cell
  readonly clock: Clock
  /** When it begins, by the monotonic clock, as it was told. */
  readonly at: number
  /** How far all had been moved when it was told. */
  readonly moved: number
}

/**
 * Resolves when a lease begins: others who used more than they had taken, or less, move it.
 * @returns when that is, by the monotonic clock; in the past for a process that was frozen
 * @throws `signal.reason`
 */
export async function untilBegun({ cell, clock, at, moved }: ReservedLease, signal: AbortSignal): Promise<number> {
  for (let moves = true; ;) {
    const begins = at + readTokenBucket(cell.value).moved - moved
    const wait = begins - clock.monotonic()
    if (wait <= 0) return moves ? clock.monotonic() : begins
    moves = await changes(cell, clock, wait, signal)
  }
}

/** @returns whether another value is known; false: the time is over */
async function changes(cell: Cell, clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted()
  let changed = false
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stopTimer()
      stopListening()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const stopTimer = clock.after(ms, done)
    const stopListening = cell.onChange(() => {
      changed = true
      done()
    })
    signal.addEventListener('abort', done, { once: true })
  })
  signal.throwIfAborted()
  return changed
}
