import { fault } from '../error/millrace-error.js'
import type { CliContext } from './context.js'

/** How long work that was stopped may take to finish what it has in hand, in ms. */
const SETTLE_MS = 2_000

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

/**
 * Waits for work that ends by itself when the command is asked to stop, to finish what it has in hand; but not for a
 * server that is away.
 * @throws INTERRUPTED, and what the work throws
 */
export async function settled<T>(
  { clock, signal }: Pick<CliContext, 'clock' | 'signal'>,
  running: Promise<T>,
): Promise<T> {
  try {
    return await orStopped(running, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
  const enough = new AbortController()
  const late = clock.sleep(SETTLE_MS, enough.signal).then(
    () => undefined,
    () => undefined, // it has settled before
  )
  const finished = await Promise.race([running, late]).finally(() => enough.abort())
  if (finished !== undefined) return finished
  running.catch(() => undefined) // whatever it ends in, the command has been told to end before
  throw fault('INTERRUPTED', 'the server did not answer in time')
}
