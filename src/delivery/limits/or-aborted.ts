/** Resolves with what is waited for, or when `signal` is aborted. What is waited for must not reject. */
export async function orAborted(waiting: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return waiting
  let onAbort = (): void => undefined
  const aborted = new Promise<void>((resolve) => (onAbort = resolve))
  signal.addEventListener('abort', onAbort, { once: true })
  await Promise.race([waiting, aborted])
  signal.removeEventListener('abort', onAbort)
}
