import type { Clock } from '../../time/clock.js'

/**
 * Does something that may take so long; the SDK’s own limit ends with the headers of an answer.
 * @param most in ms @throws what it throws, an error that says so when it takes longer, `signal.reason`
 */
export async function within<T>(
  clock: Clock,
  most: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const ends = new AbortController()
  const stop = (): void => ends.abort(signal.reason)
  // not AbortSignal.any: what listens to one is kept for as long as `signal` is, and that is as long as the process
  signal.addEventListener('abort', stop, { once: true })
  const cancel = clock.after(most, () => ends.abort(new Error(`no answer within ${most} ms`)))
  const ended = new Promise<never>((_, reject) => {
    ends.signal.addEventListener('abort', () => reject(ends.signal.reason as Error), { once: true })
  })
  try {
    return await Promise.race([work(ends.signal), ended])
  } finally {
    cancel()
    signal.removeEventListener('abort', stop)
  }
}
