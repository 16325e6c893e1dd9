import { isFault } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'

/** How long another program may hold the port of a server that has ended. */
const PATIENCE_MS = 15_000
const PAUSE_MS = 250

/**
 * Starts a server where its clients look for it. A port that another program has taken meanwhile, as an outgoing
 * connection may for a moment, is tried again for fifteen seconds.
 * @param onBusy told once
 * @throws SERVER_PORT_BUSY it is not given back, and what `start` throws
 */
export async function startAgain<Server>(
  start: () => Promise<Server>,
  clock: Clock,
  signal: AbortSignal,
  onBusy: () => void,
): Promise<Server> {
  const since = clock.monotonic()
  for (let tries = 1; ; tries++) {
    try {
      return await start()
    } catch (error) {
      if (!isFault(error, 'SERVER_PORT_BUSY') || clock.monotonic() - since >= PATIENCE_MS) throw error
      if (tries === 1) onBusy()
      await clock.sleep(PAUSE_MS, signal)
    }
  }
}
