import type { Gate } from '../gate.js'

/** Resolves when a gate that is closed is open. */
export function changed(gate: Gate): Promise<void> {
  return new Promise((resolve) => {
    const stop = gate.onChange(() => {
      if (!gate.open) return
      stop()
      resolve()
    })
  })
}

/** Somebody else has the unit; this process will hear of it. @throws the signal’s reason */
export async function giveUp(signal: AbortSignal, release: () => void): Promise<never> {
  release()
  return orAborted(new Promise(() => undefined), signal) as Promise<never>
}

/** Waits for something, as long as it is waited for. @throws the signal’s reason */
export async function orAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    const done = (): void => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }
    wait.then(done, done)
  })
}
