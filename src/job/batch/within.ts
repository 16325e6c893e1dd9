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
  const late = new AbortController()
  const cancel = clock.after(most, () => late.abort(new Error(`no answer within ${most} ms`)))
  const either = AbortSignal.any([signal, late.signal])
  const ended = new Promise<never>((_, reject) => {
    either.addEventListener('abort', () => reject(either.reason as Error), { once: true })
  })
  try {
    either.throwIfAborted()
    return await Promise.race([work(either), ended])
  } finally {
    cancel()
  }
}
