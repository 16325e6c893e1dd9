import { outcomeUnknown } from '../../broker/api-error.js'
import { isFault } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { CliContext } from '../context.js'
import { orStopped } from '../or-stopped.js'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000
/** How often it is said that it still waits. */
const SAY_EVERY_MS = 30_000

/**
 * Does what needs the server, and waits for it as long as it takes: a service may be started before its server, or again
 * while the server is away or its cluster has no leader.
 * @throws what `work` throws and waiting does not mend; `signal.reason`
 */
export async function whenThere<T>({ clock, signal }: CliContext, log: Log, work: () => Promise<T>): Promise<T> {
  let pauseMs = FIRST_PAUSE_MS
  let saidAt = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isFault(error) || !outcomeUnknown(error)) throw error
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

/** The same for a connection, which a command that was asked to stop does not wait for. */
export function connectWhenThere(context: CliContext, log: Log): ReturnType<CliContext['connect']> {
  return whenThere(context, log, () => orStopped(context.connect(), context.signal))
}
