import { connectBroker } from '../broker/connection.js'
import { connectionSettings } from '../broker/connection-settings.js'
import type { ConnectionFlags } from '../broker/connection-sources.js'
import { fault } from '../error/millrace-error.js'
import { DelayedEvents, type DelayedEventsOptions } from '../schedule/delayed-events.js'
import { systemId } from '../time/system-chance.js'
import { systemClock } from '../time/system-clock.js'

export interface OpenDelayedEventsOptions extends DelayedEventsOptions {
  /** Where servers and credentials are taken from, as the command line does: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** In place of what the environment names. */
  readonly connection?: ConnectionFlags
}

/** Delayed events of a stream, with a connection of their own. */
export interface OpenedDelayedEvents {
  readonly delayed: DelayedEvents
  close(): Promise<void>
}

/**
 * Opens a stream that is there for events that come later: see `millrace streams apply`.
 * @example
 * const { delayed, close } = await openDelayedEvents({ stream: Orders, events: [ReminderDue, OrderPlaced], env: process.env })
 * await delayed.store({
 *   events: [OrderPlaced({ orderId })],
 *   schedule: [{ event: ReminderDue({ orderId }), in: '24h', id: `reminder-${orderId}` }],
 * })
 * @throws SETTING_INVALID no server is named · BROKER_UNREACHABLE and others of connecting
 */
export async function openDelayedEvents(options: OpenDelayedEventsOptions): Promise<OpenedDelayedEvents> {
  const { env = {}, connection: flags = {}, ...rest } = options
  const settings = await connectionSettings({ env, flags, name: 'millrace delayed events' })
  if (settings === undefined) throw fault('SETTING_INVALID', 'no server: pass env, or connection: { server }')
  const connection = await connectBroker(settings)
  const delayed = new DelayedEvents({ ...rest, connection, clock: systemClock, newId: systemId })
  return {
    delayed,
    async close() {
      delayed.close()
      await connection.close()
    },
  }
}
