import type { Clock } from '../../time/clock.js'

/**
 * Waits for news, for so many ms at most.
 * @param listen calls what it is given with each piece of news; it returns what ends that
 * @returns false: there were none
 * @throws `signal.reason`
 */
export async function untilChange(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  listen: (tell: () => void) => () => void,
): Promise<boolean> {
  signal.throwIfAborted()
  let onAbort = (): void => undefined
  let [stopTimer, stopListening] = [(): void => undefined, (): void => undefined]
  try {
    return await new Promise<boolean>((resolve, reject) => {
      onAbort = () => reject(signal.reason as Error)
      signal.addEventListener('abort', onAbort, { once: true })
      stopTimer = clock.after(ms, () => resolve(false))
      stopListening = listen(() => resolve(true))
    })
  } finally {
    stopTimer()
    stopListening()
    signal.removeEventListener('abort', onAbort)
  }
}
