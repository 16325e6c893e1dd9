import type { Connection } from '../../broker/connection.js'
import { isFault } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { CliContext } from '../context.js'
import { orStopped } from '../or-stopped.js'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000
/** How often it is said that it still waits. */
const SAY_EVERY_MS = 30_000

/**
 * Connects, and waits for the server as long as it takes: a service may be started before its server, or again while the
 * server is away.
 * @throws BROKER_AUTH_FAILED, BROKER_TOO_OLD and others that waiting does not mend; `signal.reason`
 */
export async function connectWhenThere({ connect, clock, signal }: CliContext, log: Log): Promise<Connection> {
  let pauseMs = FIRST_PAUSE_MS
  let saidAt = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      return await orStopped(connect(), signal)
    } catch (error) {
      if (!isFault(error) || error.disposition !== 'retry') throw error
      const now = clock.monotonic()
      if (now - saidAt >= SAY_EVERY_MS) {
        saidAt = now
        const { code, detail, advice } = error
        log.warn({ code, detail, advice }, 'waiting for the NATS server; trying on')
      }
      await clock.sleep(pauseMs, signal)
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    }
  }
}
