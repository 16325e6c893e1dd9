/**
 * Waits for `work`, but not after `signal` was aborted; the work itself goes on, and what becomes of it is passed over.
 * @throws `signal.reason`, and what the work throws
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let stop = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
  })
  aborted.catch(() => undefined) // heard through the race, if at all
  work.catch(() => undefined) // as is this
  try {
    signal.throwIfAborted()
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
