import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/**
 * Has the server deliver nothing of a consumer until a time. One that is paused for longer already stays so.
 * @param until in ms since the Unix epoch
 * @throws errors of the broker
 */
export async function pauseUntil(connection: Connection, stream: string, name: string, until: number): Promise<void> {
  const { manager } = connection
  try {
    if ((await pausedUntil(connection, stream, name)) >= until) return
    await manager.consumers.pause(stream, name, new Date(until))
  } catch (error) {
    throw asFault(error, `pausing consumer ${name} of ${stream}`)
  }
}

/** Ends a pause that ends at a time, when it is still that one. @throws errors of the broker */
export async function endPause(connection: Connection, stream: string, name: string, until: number): Promise<void> {
  try {
    if ((await pausedUntil(connection, stream, name)) !== until) return
    await connection.manager.consumers.resume(stream, name)
  } catch (error) {
    throw asFault(error, `resuming consumer ${name} of ${stream}`)
  }
}

async function pausedUntil({ manager }: Connection, stream: string, name: string): Promise<number> {
  const { config } = await manager.consumers.info(stream, name)
  const until = Date.parse(config.pause_until ?? '')
  return Number.isNaN(until) ? 0 : until
}
