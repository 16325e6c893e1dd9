/** The only source of time. Nothing outside this room calls Date.now or sets a timer. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds from an arbitrary point, never going backwards; for measuring how long something took. */
  monotonic(): number
  /** Resolves after `ms`; rejects with `signal.reason` when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `fn` once after `ms`; the returned function cancels it. Does not keep the process alive. */
  after(ms: number, fn: () => void): () => void
  /** Calls `fn` each `ms`; the returned function stops it. Does not keep the process alive. */
  every(ms: number, fn: () => void): () => void
}
