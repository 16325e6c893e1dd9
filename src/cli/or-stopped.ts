/**
 * Waits for `work`, but not after the command was asked to stop: a server that is away must not hold up a Ctrl-C.
 * The work itself goes on; who started it ends it.
 * @throws `signal.reason`
 */
export async function orStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
  })
  stopped.catch(() => undefined) // heard through the race, if at all
  try {
    signal.throwIfAborted()
    return await Promise.race([work, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Resolves when the command is asked to stop. */
export function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
